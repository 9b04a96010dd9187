"""The tables of the office, by subject. Importing this package maps all of them."""

from memory.tables.base import Base
from memory.tables.chats import AttachmentTable, BlobTable, ConversationTable, MessageTable
from memory.tables.ledger import OutboxTable, UsageTable
from memory.tables.lifecycle import (
    BackupTable,
    ConsentTable,
    ErasedTable,
    EraseReportTable,
    ExportRecordTable,
    ImportTable,
    ProvenanceTable,
    RetentionRuleTable,
)
from memory.tables.office import AuditTable, OfficeTable, SettingTable
from memory.tables.recall import EmbeddingTable, IndexSnapshotTable, NoteTable, PassageTable
from memory.tables.runs import RunEventTable, RunTable
from memory.tables.sync import (
    DeviceNameTable,
    SyncAwaitedTable,
    SyncChangeTable,
    SyncConflictTable,
    SyncOutboxTable,
    SyncReceiptTable,
    SyncRecordTable,
    SyncSpaceTable,
    SyncTransferTable,
)
from memory.tables.team import AgentRevisionTable, AgentTable, ConnectionTable

__all__ = [
    "AgentRevisionTable",
    "AgentTable",
    "AttachmentTable",
    "AuditTable",
    "BackupTable",
    "Base",
    "BlobTable",
    "ConnectionTable",
    "ConsentTable",
    "ConversationTable",
    "DeviceNameTable",
    "EmbeddingTable",
    "EraseReportTable",
    "ErasedTable",
    "ExportRecordTable",
    "ImportTable",
    "IndexSnapshotTable",
    "MessageTable",
    "NoteTable",
    "OfficeTable",
    "OutboxTable",
    "PassageTable",
    "ProvenanceTable",
    "RetentionRuleTable",
    "RunEventTable",
    "RunTable",
    "SettingTable",
    "SyncAwaitedTable",
    "SyncChangeTable",
    "SyncConflictTable",
    "SyncOutboxTable",
    "SyncReceiptTable",
    "SyncRecordTable",
    "SyncSpaceTable",
    "SyncTransferTable",
    "UsageTable",
]
