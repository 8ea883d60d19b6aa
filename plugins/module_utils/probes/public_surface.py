# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public API and site, checked by the service's own ``verify_public_surface.py`` (contract 3.4)."""

from __future__ import annotations

from .. import service
from ..parse import public_surface
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, failed

SECONDS = 45.0
# The script's own default of 60 s for each of some 34 requests would let a dead API eat the whole triage.
REQUEST_SECONDS = 10


def probe(context: Context) -> Finding:
    """Run the verification; what it had found when it was ended counts as far as it goes."""
    settings = context.settings
    result = context.run_service(service.verify_public_surface(settings, REQUEST_SECONDS), SECONDS)
    what = "verify_public_surface.py"
    if result.failure in ("not_found", "permission_denied"):
        return Finding(None, [failed(result, what)])
    problems = [failed(result, what)] if result.failure else []
    try:
        data = public_surface.verification(result.stdout, result.rc, finished=result.failure is None)
    except ParseError as error:
        said = " ".join(result.stderr.decode("utf-8", "backslashreplace").split()[-12:])
        return Finding(
            None, [*problems, Problem(error.code, "%s: %s. Its last words: %s" % (what, error, said or "none"))]
        )
    unclear = data.pop("problem")
    if unclear and not problems:
        problems.append(Problem("unparsable", "%s: %s" % (what, unclear)))
    return Finding(
        {**data, "api_base": settings.public_api_base, "frontend_base": settings.public_frontend_base}, problems
    )
