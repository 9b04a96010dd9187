"""What the inspector says of a conversation beside its last answers."""

from desktop.chats.inspection import spent
from desktop.contents import Contents
from memory import ledger
from memory.ledger import UsageSum
from tests.desktop.waiting import until


async def test_what_a_chat_has_used_is_summed_over_its_answers(session):
    contents = Contents(session.window)
    await contents.fill(session)
    page = contents.chat
    page.composer.set_text("@Librarian how deep is it?")
    page.composer.submit()
    await until(lambda: page.feed is not None and page.feed.last_runs() and not page.feed.active_runs())
    assert not page.inspector._spent.text(), "the librarian asks no provider"
    (run,) = page.feed.last_runs()
    for tokens in (1_000, 200):
        await session.office.database.write(
            ledger.add_usage,
            run_id=run,
            agent_id=None,
            connection_id=None,
            model="large",
            input_tokens=tokens,
            output_tokens=34,
            cost=10_000,
        )
    page.composer.set_text("@Librarian and how wide?")
    page.composer.submit()
    await until(lambda: page.inspector._spent.text() == "This chat so far: 1,268 tokens, $0.02")


def test_a_chat_without_a_known_price_says_so() -> None:
    usage = UsageSum(None, "", 1, 900, 100, 0, 0, None, 1)
    assert spent(usage) == "This chat so far: 1,000 tokens, cost unknown"
