/** For tests: books as a writer makes them, step by step, and ways to forge them. */
import { Chain } from '../../../engine/chain/chain.ts'
import { StepRecorder, stepChecksum } from '../../../engine/events/step-recorder.ts'
import type { EventStore, ProposedEvent, StoredEvent } from '../../../engine/ports/event-store.ts'
import {
  bar,
  created,
  dayEnd,
  type Input,
  settings,
  started,
} from '../../../engine/testing/fixtures.ts'
import { sha256 } from '../book-audit.ts'

export const STREAM = 'account-main'
export const BOOK = `b${'1'.repeat(16)}`

const STRATEGY = { name: 'sma_cross', params: { fast: 2, slow: 4, mode: 'reverse', size: '10' } }

/** Computes steps like the writer, with a strategy that trades, so that steps have one to five events. */
export class SampleBook {
  readonly steps: ProposedEvent[][] = []
  #recorder: StepRecorder
  readonly #chain = new Chain()
  #day = 0
  #run = 0

  constructor(bookId = BOOK) {
    this.#recorder = new StepRecorder(this.#chain, this.#runId(), sha256, 0, '')
    const opening = created()
    this.input({ ...opening, data: { ...opening.data, bookId } } as Input)
    this.start()
  }

  /** Engine time of the newest bar, ms. */
  get at(): number {
    return dayEnd(this.#day - 1)
  }

  get last(): number {
    return this.#recorder.next - 1
  }

  /** Every event, as a store hands it out. */
  get events(): StoredEvent[] {
    return this.steps.flat().map((event, position) => ({ ...event, position }))
  }

  /** Computes the step of an input and returns it. */
  input({ type, at, data }: Input): ProposedEvent[] {
    const { proposed } = this.#recorder.compute(type, at, at + 5, data)
    this.steps.push(proposed)
    return proposed
  }

  bar(): ProposedEvent[] {
    const day = this.#day++
    return this.input(bar('A', day, (100 + 8 * Math.sin(day / 2)).toFixed(2)))
  }

  bars(count: number): this {
    for (let n = 0; n < count; n++) this.bar()
    return this
  }

  /** Another run takes the book over. */
  restart(): this {
    const checksum = this.steps[this.steps.length - 1]!.at(-1)!.checksum!
    this.#run++
    this.#recorder = new StepRecorder(this.#chain, this.#runId(), sha256, this.last + 1, checksum)
    this.start()
    return this
  }

  start(): void {
    const input = started(
      settings({ strategies: [STRATEGY], symbols: ['A'] }),
      dayEnd(this.#day - 1),
    )
    this.input({ ...input, data: { ...input.data, run: this.#runId() } } as Input)
  }

  #runId(): string {
    return `${this.#run}`.padEnd(16, 'a')
  }
}

/** Appends steps behind what a store holds, several in one append. */
export async function store(
  target: EventStore,
  steps: readonly (readonly ProposedEvent[])[],
  perAppend = 7,
): Promise<void> {
  let last = await target.head(STREAM)
  for (let first = 0; first < steps.length; first += perAppend) {
    last = await target.append(STREAM, last, steps.slice(first, first + perAppend).flat())
  }
}

/** The checksums of a forger who knows how they are made: each covers what stands there now. */
export function rechained(steps: readonly (readonly ProposedEvent[])[]): ProposedEvent[][] {
  let previous = ''
  return steps.map((step) => {
    const bodies = step.map(({ body }) => body)
    previous = stepChecksum(sha256, previous, step[0]!.id, bodies)
    return step.map((event, i) => ({
      ...event,
      checksum: i === step.length - 1 ? previous : null,
    }))
  })
}

export async function readAll(source: EventStore): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for await (const page of source.read(STREAM, 0)) events.push(...page)
  return events
}
