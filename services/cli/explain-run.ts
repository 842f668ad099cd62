import type { ExplainBody } from '../../schemas/types.gen.ts'
import { openStore } from '../adapters/open-store.ts'
import { Explainer } from '../projector/explain.ts'
import { Past } from '../projector/past.ts'
import { bookStream } from '../runtime/folder.ts'
import { bookLocation, shownLocation } from './book-location.ts'
import { CliError } from './exit-codes.ts'
import type { ExplainOptions } from './explain.ts'
import { outputWidth, print, printJson, styled, wrap } from './output.ts'

/** Throws NoBook, CorruptBook, no_book, NothingToExplain, AmbiguousName. */
export async function runExplainCommand(id: string, options: ExplainOptions): Promise<void> {
  const location = bookLocation(options.dir)
  const store = await openStore(location, { readonly: true })
  try {
    const stream = bookStream()
    const head = await store.head(stream)
    if (head < 0) {
      throw new CliError(
        'no_book',
        `the book in ${shownLocation(location)} has no entry yet: there is nothing to explain`,
      )
    }
    const model = await new Past(store, stream).model({ position: head })
    const body = await new Explainer(store, stream).explain(id, model)
    if (options.json) printJson(body)
    else print(explainText(body))
  } finally {
    await store.close()
  }
}

/** The chain for people: a line an event, what follows from what set in. */
export function explainText(body: ExplainBody, width: number = outputWidth()): string {
  const lines: string[] = []
  const say = (text: string, indent = 0): void => {
    const room = Math.max(20, width - indent)
    for (const line of wrap(text, room)) lines.push(`${' '.repeat(indent)}${line}`)
  }
  say(`${styled(`${body.kind} ${body.id}`, 'bold')}: ${body.outcome}`)
  const depths = new Map<number, number>()
  for (const { position, at, because, text } of body.chain) {
    const depth = because === null ? 0 : (depths.get(because) ?? 0) + 1
    depths.set(position, depth)
    const mark = because === null ? '' : '→ '
    say(`${mark}${text}  ${styled(`[${position}, ${at}]`, 'dim')}`, 2 * Math.min(depth, 6))
  }
  if (body.truncated) say(`… and more than ${body.chain.length} events in all`)
  for (const { strategy, params, actions } of body.strategies ?? []) {
    say(
      `${strategy} (${Object.entries(params)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(' ')}) looked at`,
    )
    for (const { side, met, conditions } of actions) {
      say(`${side}: ${met ? 'yes' : 'no'}`, 2)
      for (const condition of conditions) {
        const { name, observed, wanted } = condition
        const verdict = condition.met ? styled('yes', 'green') : styled('no', 'red')
        say(`${verdict}  ${name}: ${observed ?? 'not known yet'}, wanted ${wanted}`, 4)
      }
    }
  }
  return lines.join('\n')
}
