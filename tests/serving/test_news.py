"""Pages that ask for news, cheaply, and who is present."""

from pathlib import Path

from explorer.classroom.names import new_token, token_hash
from explorer.classroom.store import ClassStore
from explorer.serving import news as module
from explorer.serving.news import NewsCache


class CountingStore(ClassStore):
    """A store that counts the questions for a version."""

    version_queries = 0

    def version(self, classroom: int) -> int:
        """Count, and answer."""
        self.version_queries += 1
        return super().version(classroom)


def test_many_pages_cost_one_query(tmp_path: Path) -> None:
    """Per half a second; a change is seen after that time."""
    time = [0.0]
    store = CountingStore(tmp_path)
    classroom = store.find_class(store.open_class()[0])
    tokens = [new_token() for _ in range(20)]
    for token in tokens:
        store.members.join(classroom, token)
    news = NewsCache(store, lambda: time[0])
    first = {news.version(token) for token in tokens}
    assert len(first) == 1
    assert store.version_queries == 1
    store.guidance.collect(classroom, True)
    time[0] = module.VERSION_S
    assert {news.version(token) for token in tokens} == {first.pop() + 1}
    assert store.version_queries == 2
    assert set(news.take_present()) == {token_hash(token) for token in tokens}
    assert set(news.take_present()) == set()
    store.dispose()


def test_who_is_in_no_class_gets_no_news(tmp_path: Path) -> None:
    """And is not present; who joins is known at once, and after a class is closed the version is 0."""
    time = [0.0]
    store = ClassStore(tmp_path)
    classroom = store.find_class(store.open_class()[0])
    token = new_token()
    news = NewsCache(store, lambda: time[0])
    assert news.version(token) == 0
    assert not news.take_present()
    store.members.join(classroom, token)
    assert news.version(token) > 0
    store.close_class(classroom)
    time[0] = module.VERSION_S
    assert news.version(token) == 0
    store.dispose()
