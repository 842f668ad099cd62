import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { packageRoot } from '../runtime/folder.ts'
import { KINDS, Problem, type ProblemKind } from './problem.ts'

/** Nothing is loaded from elsewhere, and nothing runs that is not in a file of ours. */
const POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

const FILES: readonly { url: string; file: string; type: string }[] = [
  { url: '/docs', file: 'docs.html', type: 'text/html; charset=utf-8' },
  { url: '/docs/docs.css', file: 'docs.css', type: 'text/css; charset=utf-8' },
  { url: '/docs/docs.mjs', file: 'docs.mjs', type: 'text/javascript; charset=utf-8' },
]
const HTML = 'text/html; charset=utf-8'

/** Adds the pages for people: /docs, and one for each kind of problem. They tell nothing of the account. */
export function pageRoutes(app: FastifyInstance): void {
  const folder = join(packageRoot(), 'services/http-api/pages')
  for (const { url, file, type } of FILES) {
    // Read at the start: a file that is missing is noticed then.
    const content = readFileSync(join(folder, file), 'utf8')
    app.get(url, { schema: { hide: true }, config: { scope: null } }, async (_request, reply) =>
      page(reply, type, content),
    )
  }
  const list = { schema: { hide: true }, config: { scope: null } }
  app.get('/problems', list, async (_request, reply) => page(reply, HTML, problemList()))
  app.get('/problems/:kind', list, async (request, reply) => {
    const { kind } = request.params as { kind: string }
    if (!Object.hasOwn(KINDS, kind)) {
      const shown = JSON.stringify(kind.slice(0, 80))
      throw new Problem('not-found', `there is no kind of problem ${shown}; see /problems`)
    }
    return page(reply, HTML, problemPage(kind as ProblemKind))
  })
}

function page(reply: FastifyReply, type: string, content: string): FastifyReply {
  return reply
    .type(type)
    .header('content-security-policy', POLICY)
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-cache')
    .send(content)
}

function problemPage(kind: ProblemKind): string {
  const { status, title, about } = KINDS[kind]
  return frame(
    title,
    `<p class="status">${status} <code>/problems/${kind}</code></p>\n<h1>${escape(title)}</h1>\n` +
      `<p>${prose(about)}</p>\n<p><a href="/problems">All kinds of problems</a></p>`,
  )
}

function problemList(): string {
  const rows = Object.entries(KINDS).map(
    ([kind, { status, title }]) =>
      `<tr><td>${status}</td><td><a href="/problems/${kind}"><code>${kind}</code></a></td><td>${escape(title)}</td></tr>`,
  )
  return frame(
    'Problems',
    '<h1>Problems</h1>\n<p>Errors are <code>application/problem+json</code> (RFC 9457). Their <code>type</code> is one of ' +
      'these, and never changes its meaning; <code>detail</code> is for people.</p>\n' +
      `<table><thead><tr><th>Status</th><th>Type</th><th>Title</th></tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`,
  )
}

function frame(title: string, body: string): string {
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n' +
    `<title>${escape(title)} · Bitácora</title>\n<link rel="stylesheet" href="/docs/docs.css">\n</head>\n` +
    `<body class="plain">\n<main>\n<p><a href="/docs">Bitácora API</a></p>\n${body}\n</main>\n</body>\n</html>\n`
  )
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

/** Text in which backticks mark code. */
function prose(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}
