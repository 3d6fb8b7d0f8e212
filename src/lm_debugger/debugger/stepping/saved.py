"""A session as it is kept, and one made from that: nothing is run, its tokens run again when it goes on."""

from datetime import UTC, datetime

from lm_debugger.debugger.stepping.session import Session
from lm_debugger.debugger.stepping.standing import Host
from lm_debugger.debugger.stepping.tree import Node, step_id
from lm_debugger.errors import OptionError, WrongModelError
from lm_debugger.records.session import SavedNode, SavedSession


def saved(session: Session, fingerprint: str, created: datetime | None = None) -> SavedSession:
    """A session as it is now.

    Args:
        created: when it was begun; None for now.
    """
    now = datetime.now(UTC)
    tree = session.tree
    return SavedSession(
        id=session.id,
        fingerprint=fingerprint,
        title=session.title,
        ids=session.prompt,
        sampling=session.sampling,
        max_new_tokens=session.max_new_tokens,
        at=session.at.id,
        edits=session.edits,
        stop=session.stop,
        watches=session.watches,
        breakpoints=session.breakpoints.views,
        next_number=session.breakpoints.next_number,
        nodes=tuple(
            SavedNode(
                id=node.id, parent=node.parent, depth=node.depth, token=node.token, logprob=node.logprob,
                forced=node.forced, edits=node.edits, finished=node.finished, name=tree.name_of(node),
                values=dict(node.values),
            )
            for node in tree
        ),
        created=created or now,
        updated=now,
    )  # fmt: skip


def restored(host: Host, kept: SavedSession) -> Session:
    """The session that was kept.

    Raises:
        WrongModelError: if it is of another model.
        OptionError: if its positions do not belong together.
    """
    if kept.fingerprint != host.model.fingerprint:
        raise WrongModelError("This session is of another model.", "Load the model that it was begun with.")
    session = Session(host, kept.ids, kept.edits, sampling=kept.sampling, max_new_tokens=kept.max_new_tokens)
    session.id, session.title = kept.id, kept.title
    tree = session.tree
    for each in sorted(kept.nodes, key=lambda node: node.depth):
        if each.parent is None:
            continue
        if each.parent not in tree:
            raise OptionError(f"The session {kept.id} is not whole.", "Begin a new one.")
        node = Node(
            each.id, each.parent, each.depth, each.token, each.forced, each.edits, step_id(each.parent, each.edits),
            each.logprob, each.finished, dict(each.values),
        )  # fmt: skip
        tree.name(tree.add(node), each.name)
    session.restore(kept.at, kept.edits, kept.stop, kept.watches, kept.breakpoints, kept.next_number)
    return session
