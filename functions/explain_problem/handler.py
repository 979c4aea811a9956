"""GET /problems/{slug}: the page that a problem's `type` opens. Public; `make openapi` writes the pages."""

from direct_debit.entrypoint.problem_pages import ProblemPages

handler = ProblemPages(__file__)
