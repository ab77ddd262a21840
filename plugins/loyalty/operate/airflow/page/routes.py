"""The page as an application that Airflow mounts, behind Airflow's login and permissions.

Who may see the DAG `build_marts` sees the page; who may edit this DAG may release rows and roll back. Each of the two
begins with a page that says what will happen. Its form has a token, signed for this user, this step and what the user
was shown: no other site can send it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from airflow.api_fastapi.logging.decorators import action_logging
from airflow.configuration import conf
from fastapi import Depends, FastAPI, Form, Request
from fastapi.responses import FileResponse, HTMLResponse
from itsdangerous import BadSignature, URLSafeTimedSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from loyalty.common.errors import UserError
from loyalty.common.progress import SILENT
from loyalty.common.settings import load_settings
from loyalty.common.workspace import Workspace, open_workspace
from loyalty.operate.airflow.page.steps import STEPS, Step, state
from loyalty.publish.generations import REPORT, require_current
from loyalty.read.words import LANGUAGES, Words

TEMPLATE = "page.html.j2"
GUARD = "build_marts"  # the DAG whose permissions count
TOKEN_SECONDS = 3_600
HEADERS = {
    # no script, nothing from outside, and no frame but Airflow's own
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "form-action 'self'; frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
REFUSALS = {
    401: "Log in to Airflow, then open this page again.",
    403: "Your role in Airflow does not allow this: to see the page you need the right to see the DAG `build_marts`, "
    "to release rows or roll back the right to edit it; ask Airflow's administrator.",
    404: "There is no such page.",
}
NOT_CONFIRMED = "Nothing was done: it was not confirmed on this page, or it has changed since. Look at it again."

app = FastAPI(title="Loyalty warehouse", openapi_url=None)
templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
may_see = [Depends(requires_access_dag("GET", param_dag_id=GUARD))]
may_edit = [Depends(requires_access_dag("PUT", param_dag_id=GUARD))]
User = Annotated[BaseUser, Depends(get_user)]


@app.get("/", dependencies=may_see)
def show(request: Request, user: User) -> HTMLResponse:
    """The state of the warehouse."""
    can_edit = get_auth_manager().is_authorized_dag(method="PUT", details=DagDetails(id=GUARD), user=user)
    return _page(request, kind="state", can_edit=can_edit, **state(_workspace(), datetime.now(UTC)))


@app.get("/report", dependencies=may_see)
def show_report() -> FileResponse:
    """The report of the generation that readers see."""
    current = require_current(load_settings())
    file = current.folder / REPORT
    if not file.is_file():
        raise UserError(f"Generation {current.name} has no report: `loyalty report --output FILE` writes one.")
    return FileResponse(file, media_type="text/html", headers=HEADERS)


@app.get("/{kind}/{target}", dependencies=may_edit)
def ask(request: Request, kind: str, target: str, user: User) -> HTMLResponse:
    """What will happen, and the form that makes it happen."""
    step = _step(kind, target)
    token = _signer().dumps([user.get_id(), kind, target, step.seen])
    return _page(request, kind="ask", step=step, token=token)


@app.post("/release/{target}", dependencies=[*may_edit, Depends(action_logging("loyalty_release"))])
def do_release(request: Request, target: str, user: User, confirmed: Annotated[str, Form()] = "") -> HTMLResponse:
    """Release rows; Airflow's audit log keeps who did."""
    return _do(request, "release", target, user, confirmed)


@app.post("/rollback/{target}", dependencies=[*may_edit, Depends(action_logging("loyalty_rollback"))])
def do_rollback(request: Request, target: str, user: User, confirmed: Annotated[str, Form()] = "") -> HTMLResponse:
    """Show readers another generation; Airflow's audit log keeps who did."""
    return _do(request, "rollback", target, user, confirmed)


@app.exception_handler(UserError)
def user_error(request: Request, error: UserError) -> HTMLResponse:
    """A mistake of the user is one sentence."""
    return _page(request, 400, kind="sentence", sentence=str(error))


@app.exception_handler(HTTPException)
def refusal(request: Request, error: HTTPException) -> HTMLResponse:
    """Neither is a refusal more."""
    sentence = REFUSALS.get(error.status_code)
    words = Words(_language(request))
    return _page(
        request, error.status_code, kind="sentence", sentence=words.sentence(sentence) if sentence else error.detail
    )


def _do(request: Request, kind: str, target: str, user: BaseUser, confirmed: str) -> HTMLResponse:
    step = _step(kind, target)
    try:
        shown = _signer().loads(confirmed, max_age=TOKEN_SECONDS)
    except BadSignature:
        shown = None
    if shown != [user.get_id(), kind, target, step.seen]:
        words = Words(_language(request))
        return _page(request, 403, kind="sentence", sentence=words.sentence(NOT_CONFIRMED))
    return _page(request, kind="done", step=step, done=step.do())


def _workspace() -> Workspace:
    return open_workspace(load_settings(), SILENT)


def _step(kind: str, target: str) -> Step:
    if kind not in STEPS:
        raise HTTPException(404)
    return STEPS[kind](_workspace(), target)


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get_mandatory_value("api", "secret_key"), salt="loyalty-page")


def _language(request: Request) -> Any:
    asked = request.query_params.get("language")
    return asked if asked in LANGUAGES else LANGUAGES[0]


def _page(request: Request, status: int = 200, **content: Any) -> HTMLResponse:
    """The page in the language that is asked for."""
    language = _language(request)
    say = Words(language).sentence
    html = templates.get_template(TEMPLATE).render(
        base=request.scope.get("root_path", ""),
        language=language,
        say=say,
        worded=lambda sentence: say(sentence[0]).format(*sentence[1:]),
        **content,
    )
    return HTMLResponse(html, status, headers=HEADERS)
