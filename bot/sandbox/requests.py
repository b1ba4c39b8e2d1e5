"""Reading HTTP as Slack reads it: forms or JSON, tokens in the header or the body, and answers."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json

if TYPE_CHECKING:
    from bot.sandbox.files import File

_JSON_ARGUMENTS = {
    "blocks": "invalid_blocks_format",
    "view": "invalid_arguments",
    "metadata": "invalid_metadata_format",
    "attachments": "invalid_attachments",
    "files": "invalid_arguments",
    "outputs": "invalid_arguments",
}
"""Arguments that forms carry as JSON text, and Slack's error if it is invalid."""

_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
UPLOAD_BYTES = 20_000_000


def api_arguments(request: Request) -> Json:
    """The arguments of a Web API call, from the query, the form or the JSON body, JSON values read."""
    args: Json = dict(request.args)
    if request.mimetype == "application/json":
        # The SDK sends this type with an empty body when a call has no arguments, and Slack takes it.
        body = request.get_json(silent=True) if request.get_data() else {}
        if not isinstance(body, dict):
            raise SlackError("invalid_json")
        args |= body
    else:
        args |= dict(request.form)
    for key, refusal in _JSON_ARGUMENTS.items():
        if isinstance(args.get(key), str) and args[key]:
            try:
                args[key] = json.loads(args[key])
            except ValueError:
                raise SlackError(refusal) from None
    return args


def bearer_token(request: Request, args: Json) -> str | None:
    """The token of the Authorization header, else of the arguments, from which it is taken out."""
    sent = args.pop("token", None)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else sent


def response_body(request: Request) -> Json:
    """What an app sends to a response URL: JSON, or a form with a `payload`."""
    text = (
        request.get_data(as_text=True)
        if request.mimetype == "application/json"
        else request.form.get("payload", "")
    )
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise SlackError("invalid_payload", status=400)
    return body


def uploaded_bytes(request: Request) -> bytes:
    """The content of an upload: the raw body, or the one file of a multipart form."""
    if (request.content_length or 0) > UPLOAD_BYTES:
        raise RequestEntityTooLarge
    if request.mimetype == "multipart/form-data":
        return b"".join(part.read() for part in request.files.values())
    return request.get_data()


def json_response(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    text = json.dumps(body, ensure_ascii=False)
    return Response(
        text, status=status, headers=dict(headers or {}), content_type="application/json; charset=utf-8"
    )


def file_response(file: "File") -> Response:
    """An uploaded file: pictures are shown, everything else is downloaded and never run."""
    if file.content is None:
        return Response("not found", status=404)
    response = Response(file.content, content_type=file.mimetype)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if file.mimetype not in _INLINE:
        response.headers["Content-Disposition"] = "attachment"
    return response


def same_origin(request: Request) -> bool:
    """Whether a POST comes from this page or from a program; browsers say when it comes from another site."""
    origin = request.headers.get("Origin")
    if origin is not None and origin not in (f"http://{request.host}", f"https://{request.host}"):
        return False
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
