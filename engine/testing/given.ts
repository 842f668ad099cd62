import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import type { EventType } from '../../schemas/types.gen.ts'
import { Chain } from '../chain/chain.ts'
import type { ChainData, ChainEvent } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { type Step, StepRecorder } from '../events/step-recorder.ts'
import type { StoredEvent } from '../ports/event-store.ts'
import { Verifier, type VerifyResult } from '../replay/verify.ts'
import { asChainEvent, CODE_HASH, type Input, RUN, sha256 } from './fixtures.ts'

/** A consequence and the index of its cause in the step; the input is 0. */
export interface Consequence {
  event: ChainEvent
  because: number
}

/** What is expected of a consequence: its type, or its type and some of its data. */
export type Expected =
  | ChainEvent['type']
  | [type: ChainEvent['type'], data: Record<string, unknown>]

/** What came of one input. */
export class Outcome {
  readonly consequences: readonly Consequence[]

  constructor(consequences: readonly Consequence[]) {
    this.consequences = consequences
  }

  get types(): string[] {
    return this.consequences.map(({ event }) => event.type)
  }

  /** Data of the consequences of one type. */
  all<T extends EventType>(type: T): ChainData[T][] {
    const events = this.consequences
      .map(({ event }) => event)
      .filter((event) => event.type === type)
    return events.map((event) => event.data as ChainData[T])
  }

  /** The only consequence of a type. */
  one<T extends EventType>(type: T): ChainData[T] {
    const found = this.all(type)
    assert.is(found.length, 1, `one ${type} among ${this.types.join(', ') || 'nothing'}`)
    return found[0]!
  }

  /** Exactly these consequences, in this order; of their data only what is named is compared. */
  leadsTo(...expected: Expected[]): this {
    const names = expected.map((one) => (typeof one === 'string' ? one : one[0]))
    assert.equal(this.types, names)
    for (const [index, one] of expected.entries()) {
      if (typeof one === 'string') continue
      const data = this.consequences[index]!.event.data as unknown as Record<string, unknown>
      for (const [name, value] of Object.entries(one[1])) {
        assert.equal(data[name], value, `${names[index]}.${name}`)
      }
    }
    return this
  }
}

/**
 * A chain with a past.
 *
 *     given(...opened(), bar('A', 0, 100)).when(signal(0, { qty: '1' })).leadsTo('risk.verdict', 'order.intended')
 */
export class Given {
  readonly chain = new Chain()

  get table(): StateTable {
    return this.chain.table
  }

  /** Lets an input happen, with all that follows. */
  when(input: Input): Outcome {
    const consequences: Consequence[] = []
    this.chain.step(asChainEvent(input), (event, _, because) =>
      consequences.push({ event, because }),
    )
    return new Outcome(consequences)
  }

  /** More past. */
  and(...inputs: Input[]): this {
    for (const input of inputs) this.when(input)
    return this
  }

  /** Folds recorded events, inputs and consequences, without deciding again. */
  recorded(...events: Input[]): this {
    for (const event of events) this.chain.fold(asChainEvent(event))
    return this
  }
}

export function given(...inputs: Input[]): Given {
  return new Given().and(...inputs)
}

/** A book in memory, written by a StepRecorder as the writer does, one step per input. */
export class RecordedBook {
  readonly chain = new Chain()
  readonly recorder: StepRecorder
  readonly stored: StoredEvent[] = []
  readonly steps: Step[] = []

  constructor(run = RUN) {
    this.recorder = new StepRecorder(this.chain, run, sha256, 0, '')
  }

  readonly take = ({ type, at, data }: Input): Step => {
    const step = this.recorder.compute(type, at, at + 5, structuredClone(data))
    this.steps.push(step)
    for (const [index, proposed] of step.proposed.entries()) {
      this.stored.push({ ...proposed, position: step.first + index })
    }
    return step
  }
}

export function recordedBook(...inputs: Input[]): RecordedBook {
  const book = new RecordedBook()
  for (const input of inputs) book.take(input)
  return book
}

/** Lets a Verifier of the same code read stored events, as they are. */
export function verify(
  stored: readonly StoredEvent[],
  options: { codeHash?: string; from?: number; to?: number } = {},
): VerifyResult {
  const verifier = new Verifier({
    codeHash: CODE_HASH,
    hash: sha256,
    runningHash: createHash('sha256'),
    ...options,
  })
  for (const event of stored) verifier.feed(event)
  return verifier.finish()
}
