CREATE TABLE audit (
    number INTEGER NOT NULL,
    at BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    detail JSON NOT NULL,
    previous_hash VARCHAR NOT NULL,
    hash VARCHAR NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (number),
    CONSTRAINT uq_audit_hash UNIQUE (hash)
);

CREATE TABLE backup (
    id VARCHAR(32) NOT NULL,
    at BIGINT NOT NULL,
    path VARCHAR NOT NULL,
    occasion VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    size INTEGER NOT NULL,
    verified_at BIGINT,
    removed_at BIGINT,
    CONSTRAINT pk_backup PRIMARY KEY (id)
);

CREATE INDEX ix_backup_at ON backup (at);

CREATE TABLE blob (
    id VARCHAR(32) NOT NULL,
    "key" BLOB NOT NULL,
    size INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_blob PRIMARY KEY (id)
);

CREATE TABLE connection (
    id VARCHAR(32) NOT NULL,
    kind VARCHAR NOT NULL,
    preset VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    base_url VARCHAR NOT NULL,
    default_model VARCHAR NOT NULL,
    proxy VARCHAR NOT NULL,
    mask VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT,
    last_used_at BIGINT,
    last_checked_at BIGINT,
    last_check JSON,
    models JSON NOT NULL,
    price_overrides JSON NOT NULL,
    CONSTRAINT pk_connection PRIMARY KEY (id)
);

CREATE TABLE consent (
    id VARCHAR(32) NOT NULL,
    purpose VARCHAR NOT NULL,
    text_version VARCHAR NOT NULL,
    given_at BIGINT NOT NULL,
    withdrawn_at BIGINT,
    CONSTRAINT pk_consent PRIMARY KEY (id)
);

CREATE INDEX ix_consent_purpose ON consent (purpose);

CREATE TABLE device_name (
    id VARCHAR(32) NOT NULL,
    name VARCHAR NOT NULL,
    system VARCHAR NOT NULL,
    CONSTRAINT pk_device_name PRIMARY KEY (id)
);

CREATE TABLE erase_report (
    id VARCHAR(32) NOT NULL,
    at BIGINT NOT NULL,
    level VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    counts JSON NOT NULL,
    proof JSON NOT NULL,
    copies JSON NOT NULL,
    CONSTRAINT pk_erase_report PRIMARY KEY (id)
);

CREATE INDEX ix_erase_report_at ON erase_report (at);

CREATE TABLE erased (
    record_hash VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    CONSTRAINT pk_erased PRIMARY KEY (record_hash)
);

CREATE INDEX ix_erased_at ON erased (at);

CREATE TABLE export_record (
    id VARCHAR(32) NOT NULL,
    at BIGINT NOT NULL,
    path VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    size INTEGER NOT NULL,
    encrypted BOOLEAN NOT NULL,
    filters JSON NOT NULL,
    counts JSON NOT NULL,
    removed_at BIGINT,
    CONSTRAINT pk_export_record PRIMARY KEY (id)
);

CREATE INDEX ix_export_record_at ON export_record (at);

CREATE TABLE import (
    id VARCHAR(32) NOT NULL,
    at BIGINT NOT NULL,
    source VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    counts JSON NOT NULL,
    problems JSON NOT NULL,
    finished_at BIGINT,
    indexed_at BIGINT,
    CONSTRAINT pk_import PRIMARY KEY (id)
);

CREATE INDEX ix_import_at ON import (at);

CREATE TABLE index_snapshot (
    id VARCHAR(32) NOT NULL,
    embedder VARCHAR NOT NULL,
    "key" BLOB NOT NULL,
    change_mark INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    vectors INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_index_snapshot PRIMARY KEY (id)
);

CREATE TABLE office (
    id VARCHAR(32) NOT NULL,
    created_at BIGINT NOT NULL,
    change_mark INTEGER NOT NULL,
    CONSTRAINT pk_office PRIMARY KEY (id)
);

CREATE TABLE retention_rule (
    id VARCHAR(32) NOT NULL,
    scope VARCHAR NOT NULL,
    scope_id VARCHAR NOT NULL,
    days INTEGER,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_retention_rule PRIMARY KEY (id),
    CONSTRAINT uq_retention_rule_scope UNIQUE (scope, scope_id)
);

CREATE TABLE setting (
    "key" VARCHAR NOT NULL,
    value JSON NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT pk_setting PRIMARY KEY ("key")
);

CREATE TABLE sync_change (
    type VARCHAR NOT NULL,
    local_id VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pk_sync_change PRIMARY KEY (type, local_id)
);

CREATE TABLE sync_outbox (
    rid VARCHAR(32) NOT NULL,
    op_id VARCHAR(32) NOT NULL,
    erases BOOLEAN NOT NULL,
    rev VARCHAR(32) NOT NULL,
    epoch INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    base JSON NOT NULL,
    CONSTRAINT pk_sync_outbox PRIMARY KEY (rid),
    CONSTRAINT uq_sync_outbox_op_id UNIQUE (op_id)
);

CREATE TABLE sync_receipt (
    id VARCHAR(32) NOT NULL,
    scope VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    "key" BLOB NOT NULL,
    receipt VARCHAR NOT NULL,
    CONSTRAINT pk_sync_receipt PRIMARY KEY (id)
);

CREATE TABLE sync_record (
    rid VARCHAR(32) NOT NULL,
    type VARCHAR NOT NULL,
    local_id VARCHAR,
    state VARCHAR NOT NULL,
    seq INTEGER NOT NULL,
    rev VARCHAR NOT NULL,
    stamps JSON NOT NULL,
    beside JSON NOT NULL,
    own BOOLEAN NOT NULL,
    base JSON NOT NULL,
    former_seq INTEGER NOT NULL,
    former JSON NOT NULL,
    waiting BLOB,
    exp_day INTEGER NOT NULL,
    aside_at BIGINT,
    aside_by VARCHAR NOT NULL,
    CONSTRAINT pk_sync_record PRIMARY KEY (rid)
);

CREATE UNIQUE INDEX ix_sync_record_local ON sync_record (type, local_id);

CREATE INDEX ix_sync_record_state ON sync_record (state);

CREATE TABLE sync_space (
    id VARCHAR(32) NOT NULL,
    device_id VARCHAR(32) NOT NULL,
    place VARCHAR NOT NULL,
    enabled BOOLEAN NOT NULL,
    applying BOOLEAN NOT NULL,
    types JSON NOT NULL,
    epoch INTEGER NOT NULL,
    log_n INTEGER NOT NULL,
    log_head BLOB NOT NULL,
    clock_ms BIGINT NOT NULL,
    clock_counter INTEGER NOT NULL,
    naming BLOB,
    position JSON NOT NULL,
    round_at BIGINT,
    fault VARCHAR NOT NULL,
    fault_at BIGINT,
    head INTEGER NOT NULL,
    compared_at BIGINT NOT NULL,
    lacking BOOLEAN NOT NULL,
    marking JSON NOT NULL,
    service_keys JSON NOT NULL,
    other_keys JSON NOT NULL,
    clock_ahead BIGINT,
    CONSTRAINT pk_sync_space PRIMARY KEY (id)
);

CREATE TABLE agent (
    id VARCHAR(32) NOT NULL,
    name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    avatar VARCHAR NOT NULL,
    personality VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    time_zone VARCHAR NOT NULL,
    instructions VARCHAR NOT NULL,
    connection_id VARCHAR(32),
    model VARCHAR NOT NULL,
    temperature DOUBLE,
    max_tokens INTEGER,
    effort VARCHAR NOT NULL,
    tools JSON NOT NULL,
    memory_scopes JSON NOT NULL,
    recipients JSON NOT NULL,
    accepts_own_notes BOOLEAN NOT NULL,
    run_cap BIGINT,
    day_cap BIGINT,
    librarian BOOLEAN NOT NULL,
    position INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT,
    trashed_at BIGINT,
    CONSTRAINT pk_agent PRIMARY KEY (id),
    CONSTRAINT uq_agent_name UNIQUE (name),
    CONSTRAINT fk_agent_connection_id_connection FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE SET NULL
);

CREATE TABLE provenance (
    record_type VARCHAR NOT NULL,
    record_id VARCHAR(32) NOT NULL,
    import_id VARCHAR(32),
    original_id VARCHAR NOT NULL,
    extra JSON,
    CONSTRAINT pk_provenance PRIMARY KEY (record_type, record_id),
    CONSTRAINT fk_provenance_import_id_import FOREIGN KEY(import_id) REFERENCES import (id) ON DELETE SET NULL
);

CREATE INDEX ix_provenance_import_id ON provenance (import_id);

CREATE TABLE sync_awaited (
    rid VARCHAR(32) NOT NULL,
    target VARCHAR NOT NULL,
    arrived BOOLEAN NOT NULL,
    CONSTRAINT pk_sync_awaited PRIMARY KEY (rid, target),
    CONSTRAINT fk_sync_awaited_rid_sync_record FOREIGN KEY(rid) REFERENCES sync_record (rid) ON DELETE CASCADE
);

CREATE INDEX ix_sync_awaited_arrived ON sync_awaited (arrived);

CREATE INDEX ix_sync_awaited_target ON sync_awaited (target);

CREATE TABLE sync_conflict (
    id VARCHAR(32) NOT NULL,
    rid VARCHAR(32) NOT NULL,
    field VARCHAR NOT NULL,
    lost JSON NOT NULL,
    digest VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pk_sync_conflict PRIMARY KEY (id),
    CONSTRAINT fk_sync_conflict_rid_sync_record FOREIGN KEY(rid) REFERENCES sync_record (rid) ON DELETE CASCADE
);

CREATE INDEX ix_sync_conflict_rid ON sync_conflict (rid);

CREATE TABLE agent_revision (
    agent_id VARCHAR(32) NOT NULL,
    revision INTEGER NOT NULL,
    at BIGINT NOT NULL,
    markdown VARCHAR NOT NULL,
    CONSTRAINT pk_agent_revision PRIMARY KEY (agent_id, revision),
    CONSTRAINT fk_agent_revision_agent_id_agent FOREIGN KEY(agent_id) REFERENCES agent (id) ON DELETE CASCADE
);

CREATE TABLE conversation (
    id VARCHAR(32) NOT NULL,
    title VARCHAR NOT NULL,
    title_source VARCHAR NOT NULL,
    active_leaf_id VARCHAR(32),
    agent_id VARCHAR(32),
    connection_id VARCHAR(32),
    model VARCHAR NOT NULL,
    effort VARCHAR NOT NULL,
    draft JSON NOT NULL,
    scroll JSON NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    pinned_at BIGINT,
    archived_at BIGINT,
    trashed_at BIGINT,
    held_at BIGINT,
    restricted BOOLEAN NOT NULL,
    arriving_import_id VARCHAR(32),
    CONSTRAINT pk_conversation PRIMARY KEY (id),
    CONSTRAINT fk_conversation_agent_id_agent FOREIGN KEY(agent_id) REFERENCES agent (id) ON DELETE SET NULL,
    CONSTRAINT fk_conversation_connection_id_connection FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE SET NULL
);

CREATE INDEX ix_conversation_arriving_import_id ON conversation (arriving_import_id);

CREATE INDEX ix_conversation_updated_at ON conversation (updated_at);

CREATE TABLE message (
    id VARCHAR(32) NOT NULL,
    conversation_id VARCHAR(32) NOT NULL,
    parent_id VARCHAR(32),
    batch_id VARCHAR(32) NOT NULL,
    position INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    shown_batch_id VARCHAR(32),
    role VARCHAR NOT NULL,
    agent_id VARCHAR(32),
    agent_name VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    run_id VARCHAR(32),
    text VARCHAR NOT NULL,
    thinking VARCHAR NOT NULL,
    citations JSON NOT NULL,
    attachment_ids JSON NOT NULL,
    state VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    pinned_at BIGINT,
    trashed_at BIGINT,
    held_at BIGINT,
    hidden BOOLEAN NOT NULL,
    restricted BOOLEAN NOT NULL,
    CONSTRAINT pk_message PRIMARY KEY (id),
    CONSTRAINT fk_message_conversation_id_conversation FOREIGN KEY(conversation_id) REFERENCES conversation (id) ON DELETE CASCADE,
    CONSTRAINT fk_message_parent_id_message FOREIGN KEY(parent_id) REFERENCES message (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT fk_message_agent_id_agent FOREIGN KEY(agent_id) REFERENCES agent (id) ON DELETE SET NULL
);

CREATE INDEX ix_message_batch_id ON message (batch_id);

CREATE INDEX ix_message_parent_id ON message (parent_id);

CREATE INDEX ix_message_run_id ON message (run_id);

CREATE INDEX ix_message_tree ON message (conversation_id, ordinal, id, parent_id, batch_id, position, hidden);

CREATE TABLE run (
    id VARCHAR(32) NOT NULL,
    conversation_id VARCHAR(32) NOT NULL,
    parent_run_id VARCHAR(32),
    task_id VARCHAR(32),
    agent_id VARCHAR(32),
    connection_id VARCHAR(32),
    model VARCHAR NOT NULL,
    effort VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    context JSON NOT NULL,
    history JSON,
    cap BIGINT,
    reserved BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    CONSTRAINT pk_run PRIMARY KEY (id),
    CONSTRAINT fk_run_conversation_id_conversation FOREIGN KEY(conversation_id) REFERENCES conversation (id) ON DELETE CASCADE,
    CONSTRAINT fk_run_agent_id_agent FOREIGN KEY(agent_id) REFERENCES agent (id) ON DELETE SET NULL,
    CONSTRAINT fk_run_connection_id_connection FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE SET NULL
);

CREATE INDEX ix_run_conversation_id ON run (conversation_id);

CREATE INDEX ix_run_state ON run (state);

CREATE TABLE attachment (
    id VARCHAR(32) NOT NULL,
    conversation_id VARCHAR(32) NOT NULL,
    message_id VARCHAR(32),
    blob_id VARCHAR(32),
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    media_type VARCHAR NOT NULL,
    size INTEGER NOT NULL,
    pages INTEGER,
    characters INTEGER,
    state VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    pinned_at BIGINT,
    trashed_at BIGINT,
    held_at BIGINT,
    restricted BOOLEAN NOT NULL,
    content JSON,
    CONSTRAINT pk_attachment PRIMARY KEY (id),
    CONSTRAINT fk_attachment_conversation_id_conversation FOREIGN KEY(conversation_id) REFERENCES conversation (id) ON DELETE CASCADE,
    CONSTRAINT fk_attachment_message_id_message FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE,
    CONSTRAINT fk_attachment_blob_id_blob FOREIGN KEY(blob_id) REFERENCES blob (id) ON DELETE RESTRICT
);

CREATE INDEX ix_attachment_blob_id ON attachment (blob_id);

CREATE INDEX ix_attachment_conversation_id ON attachment (conversation_id);

CREATE INDEX ix_attachment_message_id ON attachment (message_id);

CREATE TABLE outbox (
    id VARCHAR(32) NOT NULL,
    at BIGINT NOT NULL,
    host VARCHAR NOT NULL,
    purpose VARCHAR NOT NULL,
    connection_id VARCHAR(32),
    agent_id VARCHAR(32),
    run_id VARCHAR(32),
    categories JSON NOT NULL,
    bytes_sent INTEGER NOT NULL,
    bytes_received INTEGER NOT NULL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cost BIGINT,
    status INTEGER,
    error VARCHAR NOT NULL,
    finished_at BIGINT,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT fk_outbox_connection_id_connection FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE SET NULL,
    CONSTRAINT fk_outbox_agent_id_agent FOREIGN KEY(agent_id) REFERENCES agent (id) ON DELETE SET NULL,
    CONSTRAINT fk_outbox_run_id_run FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE SET NULL
);

CREATE INDEX ix_outbox_at ON outbox (at);

CREATE TABLE run_event (
    number INTEGER NOT NULL,
    run_id VARCHAR(32) NOT NULL,
    seq INTEGER NOT NULL,
    parent_run_id VARCHAR(32),
    task_id VARCHAR(32),
    agent_id VARCHAR(32),
    at BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    body JSON NOT NULL,
    CONSTRAINT pk_run_event PRIMARY KEY (number),
    CONSTRAINT uq_run_event_run_id UNIQUE (run_id, seq),
    CONSTRAINT fk_run_event_run_id_run FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);

CREATE INDEX ix_run_event_quoting ON run_event (kind) WHERE kind = 'memory_used' OR (kind = 'tool_finished' AND instr(body, 'id=') > 0);

CREATE TABLE usage (
    id VARCHAR(32) NOT NULL,
    at BIGINT NOT NULL,
    day VARCHAR NOT NULL,
    run_id VARCHAR(32),
    agent_id VARCHAR(32),
    connection_id VARCHAR(32),
    model VARCHAR NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    cost BIGINT,
    counted BIGINT NOT NULL,
    CONSTRAINT pk_usage PRIMARY KEY (id),
    CONSTRAINT fk_usage_run_id_run FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE SET NULL,
    CONSTRAINT fk_usage_agent_id_agent FOREIGN KEY(agent_id) REFERENCES agent (id) ON DELETE SET NULL,
    CONSTRAINT fk_usage_connection_id_connection FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE SET NULL
);

CREATE INDEX ix_usage_day_agent ON usage (day, agent_id);

CREATE INDEX ix_usage_run_id ON usage (run_id);

CREATE TABLE note (
    id VARCHAR(32) NOT NULL,
    kind VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    scope_id VARCHAR(32),
    text VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    source_message_id VARCHAR(32),
    source_attachment_id VARCHAR(32),
    agent_id VARCHAR(32),
    model VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    supersedes_id VARCHAR(32),
    uses INTEGER NOT NULL,
    last_used_at BIGINT,
    pinned_at BIGINT,
    trashed_at BIGINT,
    held_at BIGINT,
    restricted BOOLEAN NOT NULL,
    CONSTRAINT pk_note PRIMARY KEY (id),
    CONSTRAINT fk_note_source_message_id_message FOREIGN KEY(source_message_id) REFERENCES message (id) ON DELETE SET NULL,
    CONSTRAINT fk_note_source_attachment_id_attachment FOREIGN KEY(source_attachment_id) REFERENCES attachment (id) ON DELETE SET NULL,
    CONSTRAINT fk_note_agent_id_agent FOREIGN KEY(agent_id) REFERENCES agent (id) ON DELETE SET NULL,
    CONSTRAINT fk_note_supersedes_id_note FOREIGN KEY(supersedes_id) REFERENCES note (id) ON DELETE SET NULL
);

CREATE INDEX ix_note_source_attachment_id ON note (source_attachment_id);

CREATE INDEX ix_note_source_message_id ON note (source_message_id);

CREATE INDEX ix_note_supersedes_id ON note (supersedes_id);

CREATE TABLE sync_transfer (
    attachment_id VARCHAR(32) NOT NULL,
    arrives BOOLEAN NOT NULL,
    "key" BLOB NOT NULL,
    blob_id VARCHAR(32) NOT NULL,
    content_id VARCHAR(32) NOT NULL,
    addresses BLOB NOT NULL,
    pieces INTEGER NOT NULL,
    fault VARCHAR NOT NULL,
    CONSTRAINT pk_sync_transfer PRIMARY KEY (attachment_id),
    CONSTRAINT fk_sync_transfer_attachment_id_attachment FOREIGN KEY(attachment_id) REFERENCES attachment (id) ON DELETE CASCADE
);

CREATE TABLE passage (
    number INTEGER NOT NULL,
    message_id VARCHAR(32),
    attachment_id VARCHAR(32),
    note_id VARCHAR(32),
    source_kind VARCHAR NOT NULL,
    source_id VARCHAR(32) NOT NULL,
    conversation_id VARCHAR(32),
    ordinal INTEGER NOT NULL,
    place JSON NOT NULL,
    heading VARCHAR NOT NULL,
    speaker VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    text VARCHAR NOT NULL,
    context VARCHAR NOT NULL,
    CONSTRAINT pk_passage PRIMARY KEY (number),
    CONSTRAINT fk_passage_message_id_message FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE,
    CONSTRAINT fk_passage_attachment_id_attachment FOREIGN KEY(attachment_id) REFERENCES attachment (id) ON DELETE CASCADE,
    CONSTRAINT fk_passage_note_id_note FOREIGN KEY(note_id) REFERENCES note (id) ON DELETE CASCADE,
    CONSTRAINT fk_passage_conversation_id_conversation FOREIGN KEY(conversation_id) REFERENCES conversation (id) ON DELETE CASCADE
);

CREATE INDEX ix_passage_attachment_id ON passage (attachment_id);

CREATE INDEX ix_passage_conversation_id ON passage (conversation_id);

CREATE INDEX ix_passage_message_id ON passage (message_id);

CREATE INDEX ix_passage_note_id ON passage (note_id);

CREATE INDEX ix_passage_source ON passage (source_kind, source_id, ordinal);

CREATE TABLE embedding (
    passage_number INTEGER NOT NULL,
    "view" INTEGER NOT NULL,
    embedder VARCHAR NOT NULL,
    vector BLOB NOT NULL,
    random_id VARCHAR(32) NOT NULL,
    CONSTRAINT pk_embedding PRIMARY KEY (passage_number, "view", embedder),
    CONSTRAINT fk_embedding_passage_number_passage FOREIGN KEY(passage_number) REFERENCES passage (number) ON DELETE CASCADE,
    CONSTRAINT uq_embedding_random_id UNIQUE (random_id)
);
