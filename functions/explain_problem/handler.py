"""GET /problems/{slug}: the page that a problem's `type` opens. Public; `make openapi` writes the pages."""

from pathlib import Path

from direct_debit.entrypoint.problem_pages import ProblemPages

handler = ProblemPages(Path(__file__).parent / "pages")
