/** What a command prints: a document for programs, or text that fits the terminal for people. */

const NARROWEST = 20

/** Columns to print in; Infinity where the output is no terminal and nobody has said. */
export function outputWidth(
  stream: { isTTY?: boolean; columns?: number } = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): number {
  const asked = Number(env.COLUMNS)
  if (Number.isInteger(asked) && asked > 0) return Math.max(NARROWEST, asked)
  if (stream.isTTY === true && stream.columns) return Math.max(NARROWEST, stream.columns)
  return Number.POSITIVE_INFINITY
}

/** Whether colours may be used: on a terminal, unless NO_COLOR is set to anything. */
export function hasColor(
  stream: { isTTY?: boolean } = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
}

const STYLES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' } as const
export type Style = keyof typeof STYLES

export function styled(text: string, style: Style, color: boolean = hasColor()): string {
  return color ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** A remark on stderr, for people: with --json the document carries it. */
export function warn(text: string): void {
  process.stderr.write(`${styled('warning:', 'yellow', hasColor(process.stderr))} ${text}\n`)
}

/** Breaks at spaces; a word longer than the width is cut. */
export function wrap(text: string, width: number): string[] {
  if (text.length <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    let rest = word
    if (line !== '' && line.length + 1 + rest.length > width) {
      lines.push(line)
      line = ''
    }
    while (rest.length > width) {
      lines.push(rest.slice(0, width))
      rest = rest.slice(width)
    }
    line = line === '' ? rest : `${line} ${rest}`
  }
  if (line !== '') lines.push(line)
  return lines
}

/** Rows of a label and a value; a value that does not fit goes on below itself. */
export function table(
  rows: readonly (readonly [label: string, value: string])[],
  width: number = outputWidth(),
  color: boolean = hasColor(),
): string {
  const longest = Math.max(...rows.map(([label]) => label.length))
  const room = width - longest - 2
  const lines: string[] = []
  for (const [label, value] of rows) {
    const name = styled(label.padEnd(longest), 'dim', color)
    // Too narrow for two columns: the value stands below its label.
    if (room < NARROWEST / 2) {
      lines.push(styled(label, 'dim', color), ...wrap(value, width - 2).map((line) => `  ${line}`))
      continue
    }
    const [first = '', ...more] = wrap(value, room)
    lines.push(`${name}  ${first}`.trimEnd())
    for (const line of more) lines.push(`${' '.repeat(longest + 2)}${line}`)
  }
  return lines.join('\n')
}

const SHOW_EVERY_MS = 100

/** One line on stderr that is written over; nothing where that is no terminal. */
export class Progress {
  readonly active: boolean
  private readonly label: string
  private shownAt = 0
  private shown = false

  constructor(label: string, stream: { isTTY?: boolean } = process.stderr) {
    this.label = label
    this.active = stream.isTTY === true && process.env.TERM !== 'dumb'
  }

  update(done: number, total: number): void {
    if (!this.active) return
    const now = performance.now()
    if (now - this.shownAt < SHOW_EVERY_MS) return
    this.shownAt = now
    this.shown = true
    const percent = total > 0 ? Math.floor((100 * done) / total) : 100
    const text = `${this.label} ${percent} % (${done.toLocaleString('en-US')})`
    process.stderr.write(`\r\u001b[K${text.slice(0, outputWidth(process.stderr) - 1)}`)
  }

  finish(): void {
    if (this.shown) process.stderr.write('\r\u001b[K')
    this.shown = false
  }
}
