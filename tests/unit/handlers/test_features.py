"""Features' declarations: every button and form is handled once, every plain form under the callback it
sends."""

from collections import Counter

from handlers.features import FEATURES
from templates.contexts.ask import PlainForm
from templates.ids import Action, Callback, Field


def plain_forms() -> list[type[PlainForm]]:
    """Each once: `slots=True` makes a class a second time."""
    return list({(one.__module__, one.__name__): one for one in PlainForm.__subclasses__()}.values())


def test_every_button_is_handled_once() -> None:
    handled = Counter(action for feature in FEATURES for action in feature.buttons)
    assert max(handled.values()) == 1
    assert set(Action) - set(handled) == {Action.TYPE_IT, Action.MENU}


def test_every_form_is_handled_once() -> None:
    handled = Counter(callback for feature in FEATURES for callback in feature.forms)
    assert max(handled.values()) == 1
    assert set(Callback) - set(handled) == {Callback.INFO, Callback.CHOOSE_CHECKIN}


def test_every_plain_form_has_a_callback_of_its_own_and_known_fields() -> None:
    forms = plain_forms()
    assert len({form.CALLBACK for form in forms}) == len(forms)
    for form in forms:
        names = {declared.name or name for name, declared in form.declared_inputs().items()}
        assert names <= set(Field), form
        assert len(names) == len(form.declared_inputs()), form
