export interface DotenvEntry {
  name: string
  value: string
  /** Counted from 1. */
  line: number
}

export interface DotenvProblem {
  line: number
  message: string
}

export interface Dotenv {
  entries: DotenvEntry[]
  problems: DotenvProblem[]
}

const ASSIGNMENT = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$/
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/**
 * Reads `.env` text: `NAME=value` lines, `export` allowed before, `#` comments on their own or after a space.
 * 'Single quotes' keep everything; in "double quotes" \n \r \t \" \\ \$ are escapes. Values end with their line,
 * and `$` is an ordinary character: nothing is interpolated. Problems never quote a value, which may be a secret.
 */
export function parseDotenv(text: string): Dotenv {
  const entries: DotenvEntry[] = []
  const problems: DotenvProblem[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (const [index, raw] of lines.entries()) {
    const line = index + 1
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const [, name, rest] = ASSIGNMENT.exec(trimmed) ?? []
    if (name === undefined || rest === undefined) {
      problems.push({ line, message: 'is not NAME=value' })
      continue
    }
    const read = readValue(rest)
    if (typeof read === 'string') entries.push({ name, value: read, line })
    else problems.push({ line, message: `${name} ${read.problem}` })
  }
  return { entries, problems }
}

function readValue(rest: string): string | { problem: string } {
  const quote = rest[0]
  if (quote !== '"' && quote !== "'") return rest.replace(/(^|\s+)#.*$/, '').trimEnd()
  const whole = quote === '"' ? /^"((?:[^"\\]|\\.)*)"(.*)$/ : /^'([^']*)'(.*)$/
  const [, inner, after] = whole.exec(rest) ?? []
  if (inner === undefined || after === undefined) {
    return { problem: `has no closing ${quote} on its line` }
  }
  if (!/^\s*($|\s#|#)/.test(after)) return { problem: `has text after its closing ${quote}` }
  if (quote === "'") return inner
  return inner.replace(/\\(.)/g, (whole, char: string) => {
    if (char in ESCAPES) return ESCAPES[char] ?? whole
    return /["\\$]/.test(char) ? char : whole
  })
}
