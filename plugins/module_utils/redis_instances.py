# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Redis instances brought up to date with the least that does it: a start, settings set while they run, a restart.

What is wanted is what the installed server makes of an instance's static file; what is there is what the running
server says of itself. So no table of units, defaults and spellings is needed, a setting that was taken out of the
inventory goes back to its default, and one that somebody changed by hand is put back. Whether a setting can be changed
live is asked of the server by trying.

Nothing here knows Ansible, systemd or sockets: a `Store` does, and tests have a small one in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_comparison import Differences, compare, shown
from ansible_collections.cubeops.cubejs.plugins.module_utils.redis_model import (
    ImmutableError,
    Instance,
    InstancesError,
    NotReadyError,
    Session,
    SettingRefusedError,
    Store,
    UnitState,
)

FILES_ADVICE = (
    "lower maxclients, or let this host give more files (redis_open_files_limit; in a container, its own limit)"
)
ADVICE = {"maxclients": f"; {FILES_ADVICE}"}


@dataclass(frozen=True)
class Options:
    """How to go about it.

    `pending`: instances whose files the run has just changed (in check mode: would have). `pending_unit`: the same of
    the file of their units.
    """

    apply: bool = True
    pending: frozenset[str] = frozenset()
    pending_unit: bool = False
    keep_old_passwords: bool = False
    start_seconds: float = 120.0


@dataclass
class Outcome:
    """What was done (would be done) to one instance."""

    actions: list[str] = field(default_factory=list)
    settings: dict[str, tuple[str, str]] = field(default_factory=dict)
    restart_reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    old_passwords: int = 0
    replica_of: str = ""


@dataclass
class Result:
    """What was done (would be done) on the host."""

    instances: dict[str, Outcome] = field(default_factory=dict)
    daemon_reloaded: bool = False
    unlisted: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Return whether anything had to be done to an instance."""
        return any(outcome.actions for outcome in self.instances.values())


def converge(instances: Sequence[Instance], store: Store, options: Options) -> Result:
    """Bring every instance up to date, one after the other, and see each of them serve its clients.

    Stops at the first that cannot be: those after it keep running as they are.
    """
    names = [instance.name for instance in instances]
    states = store.units(names)
    result = Result(unlisted=store.unlisted(names))
    if any(state.needs_daemon_reload for state in states.values()):
        result.daemon_reloaded = True
        if options.apply:
            store.daemon_reload()
            states = store.units(names)
    disabled = [name for name in names if not states[name].enabled]
    if disabled and options.apply:
        store.enable(disabled)
    for index, instance in enumerate(instances):
        outcome = Outcome(actions=["enable"] if instance.name in disabled else [])
        result.instances[instance.name] = outcome
        try:
            _bring_up(instance, states[instance.name], outcome, store, options)
        except (InstancesError, NotReadyError, SettingRefusedError) as exc:
            raise InstancesError(_failure(instance.name, exc, names[index + 1 :], store)) from exc
    return result


def _bring_up(instance: Instance, state: UnitState, outcome: Outcome, store: Store, options: Options) -> None:
    if not state.active and store.ports_taken(instance):
        # It may be the instance itself, which systemd has started again since it was looked at.
        state = store.units([instance.name])[instance.name]
    if not state.active:
        _start(instance, outcome, store, options)
        return
    if instance.name in options.pending:
        outcome.actions.append("update")
    as_wanted = False
    if state.stale or (options.pending_unit and not options.apply):
        outcome.restart_reasons.append("its unit was changed")
    else:
        as_wanted = _change_live(instance, state, outcome, store, options)
    if outcome.restart_reasons:
        outcome.actions.append("restart")
        if options.apply:
            store.restart(instance.name)
            _gate(instance, outcome, store, options, replaced=state.pid)
    elif options.apply and as_wanted:
        _see_clients_served(instance, store, options)
    elif options.apply:
        _gate(instance, outcome, store, options)


def _start(instance: Instance, outcome: Outcome, store: Store, options: Options) -> None:
    _refuse_taken_ports(instance, store)
    outcome.actions.append("start")
    outcome.replica_of = _first_primary(instance, store) or ""
    if not options.apply:
        return
    if outcome.replica_of:
        store.begin_as_replica(instance, outcome.replica_of)
    store.start(instance.name)
    _gate(instance, outcome, store, options)


def _first_primary(instance: Instance, store: Store) -> str | None:
    """Return what an instance is to be a replica of when it starts for the first time; None if that is not ours to say.

    Afterwards it keeps that itself, and Sentinel changes it: a failover is never undone.
    """
    if instance.primary is None or store.was_started(instance.name):
        return None
    primary = store.present_primary(instance.name) or instance.primary
    return None if primary in {address.lstrip("-") for address in instance.bind} else primary


def _change_live(instance: Instance, state: UnitState, outcome: Outcome, store: Store, options: Options) -> bool:
    """Change what can be changed while the server runs, and note for what it has to be restarted.

    Returns whether the instance is as wanted without that.
    """
    if store.replaced_binary(state.pid):
        outcome.warnings.append(
            "its program was replaced since it started (a package update): restart it when it suits"
        )
    candidates = [instance.password, *store.passwords(instance.name)]
    with _await_session(instance, candidates, store, options) as session:
        _refuse_stranger(session, state)
        found = compare(instance, session, store, remember=options.apply)
        if str(instance.port) in _new_ports(found):
            _refuse_taken_ports(instance, store)
        outcome.settings.update({name: shown(name, values) for name, values in found.settings.items()})
        outcome.warnings += _memory_warning(found, session)
        keep = found.extra_passwords if options.keep_old_passwords else frozenset()
        outcome.old_passwords = len(keep)
        if found.settings or found.certificate:
            outcome.actions.append("set")
        if found.password or keep != found.extra_passwords:
            outcome.actions.append("password")
        if not options.apply:
            return False
        if "password" in outcome.actions:
            _set_password(instance, session, keep, store)
        if found.certificate:
            session.reload_certificate()
        outcome.restart_reasons += _set_all(found.settings, session)
    return not {"set", "password"} & set(outcome.actions)


def _new_ports(found: Differences) -> set[str]:
    """Return the ports that the server is to listen on and does not yet, in the clear or with TLS."""
    ports = [found.settings[name] for name in ("port", "tls-port") if name in found.settings]
    return {wanted for _before, wanted in ports} - {before for before, _wanted in ports}


def _set_all(settings: Mapping[str, tuple[str, str]], session: Session) -> list[str]:
    """Set what can be set; return why the server has to be restarted for the rest."""
    if "tls-port" in settings:
        # A port that begins or ends to speak TLS loses its clients whichever way; a restart does it at one stroke.
        return [f"{name} takes effect with the listener" for name in settings]
    unchangeable = [name for name, (_before, value) in settings.items() if not _is_set(name, value, session)]
    return [f"{name} cannot be changed while it runs" for name in unchangeable]


def _is_set(name: str, value: str, session: Session) -> bool:
    """Set it, and return whether that was possible."""
    try:
        session.set(name, value)
    except ImmutableError:
        return False
    except SettingRefusedError as exc:
        readable = shown(name, ("", value))[1]
        raise SettingRefusedError(f"it refuses {name} {readable}: {exc}{ADVICE.get(name, '')}") from exc
    return True


def _set_password(instance: Instance, session: Session, keep: frozenset[str], store: Store) -> None:
    """Change the password so that a run killed at any point leaves notes of every password the server can have."""
    store.remember_passwords(instance.name, [instance.password, session.password])
    session.set_password(instance.password, keep)
    store.remember_passwords(instance.name, [instance.password])


def _gate(instance: Instance, outcome: Outcome, store: Store, options: Options, *, replaced: int = 0) -> None:
    """See that an instance that was changed or started is as wanted and serves its clients.

    `replaced` is the process that a restart ends: it may answer for a while.
    """
    with _await_session(instance, [instance.password], store, options, replaced=replaced) as session:
        _refuse_stranger(session, store.units([instance.name])[instance.name])
        found = compare(instance, session, store)
        outcome.old_passwords = len(found.extra_passwords)
        if "maxclients" in found.settings:
            raise InstancesError(_clamped(instance, found.settings["maxclients"][0], session, store))
        left = [*found.settings]
        left += ["password"] if found.password else []
        left += ["certificate"] if found.certificate else []
        if left:
            raise InstancesError(f"these are not as its configuration says after all: {', '.join(left)}")
    _see_clients_served(instance, store, options)


def _see_clients_served(instance: Instance, store: Store, options: Options) -> None:
    """See that a client is served. A replica serves nobody while it takes over the primary's data."""
    reason = ""
    for _moment in store.moments(options.start_seconds):
        reason = _not_ready(instance, store)
        if not reason:
            return
    raise NotReadyError(f"no client is served within {options.start_seconds:.0f} s: {reason}")


def _not_ready(instance: Instance, store: Store) -> str:
    """Return why a client has to wait; "" when it is served."""
    try:
        store.check_clients_way(instance)
    except NotReadyError as exc:
        return str(exc) or "it is not ready"
    return ""


def _await_session(
    instance: Instance, passwords: Sequence[str], store: Store, options: Options, *, replaced: int = 0
) -> AbstractContextManager[Session]:
    """Connect, giving a server that starts the time to load its data."""
    reason = "it has not stopped yet"
    for attempt, _moment in enumerate(store.moments(options.start_seconds)):
        try:
            if not replaced or store.units([instance.name])[instance.name].pid not in (0, replaced):
                return store.session(instance, passwords)
        except NotReadyError as exc:
            reason = str(exc)
        # At first systemd may still show what was before the start that it was just asked for.
        if attempt > 1 and store.units([instance.name])[instance.name].failing:
            raise InstancesError("it does not start")
    raise NotReadyError(f"no answer within {options.start_seconds:.0f} s: {reason}")


def _refuse_stranger(session: Session, state: UnitState) -> None:
    if state.pid and session.process_id() != state.pid:
        raise InstancesError(
            f"the server that answers is process {session.process_id()}, and systemd runs {state.pid}: "
            "stop the other one, which was started by hand or by something else"
        )


def _refuse_taken_ports(instance: Instance, store: Store) -> None:
    taken = store.ports_taken(instance)
    if taken:
        raise InstancesError(
            f"something else listens on {', '.join(taken)}: give the instance another port, or stop the other service"
        )


def _clamped(instance: Instance, real: str, session: Session, store: Store) -> str:
    files = store.open_files_limit(session.process_id())
    return (
        f"maxclients is {real} and not {instance.maxclients}: the process may open {files} files, of which Redis keeps "
        f"32: {FILES_ADVICE}"
    )


def _memory_warning(found: Differences, session: Session) -> list[str]:
    if "maxmemory" not in found.settings:
        return []
    limit, used = int(found.settings["maxmemory"][1]), session.used_memory()
    if 0 < limit < used:
        return [f"maxmemory becomes {limit} bytes and {used} are used: results are evicted, new queries may be refused"]
    return []


def _failure(name: str, error: Exception, left: Sequence[str], store: Store) -> str:
    text = f"Redis instance {name}: {error}"
    if left:
        text += f"\nNot touched: {', '.join(left)}"
    journal = store.journal(name)
    return f"{text}\nLast lines of its journal:\n{journal}" if journal else text
