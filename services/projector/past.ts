import { decodeBody } from '../../engine/events/envelope.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { Checkpoints } from '../../projections/checkpoints.ts'
import { isProjected, ReadModel } from '../../projections/read-model.ts'

/** A position of the book, or a moment of engine time in ms: the last event at or before it. */
export type Moment = { position: number } | { at: number }

/** Too many questions about the past wait for an answer already. */
export class PastIsBusy extends Error {
  override name = 'PastIsBusy'
  readonly code = 'past_is_busy'
}

const CACHED = 8
const MOST_WAITING = 32

/**
 * The read model as of any moment of a book: the nearest checkpoint, gone on from with the events that follow. No
 * state is kept for every position; checkpoints are left on the way of the first who asks. One answer is worked
 * out at a time, page by page, so that whatever else runs in the process goes on.
 */
export class Past {
  readonly #store: EventStore
  readonly #stream: string
  readonly #checkpoints = new Checkpoints()
  /** Answers by question, the one asked for last at the end. */
  readonly #answers = new Map<string, ReadModel>()
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(store: EventStore, stream: string) {
    this.#store = store
    this.#stream = stream
  }

  /**
   * The model as the moment left it, to be read only. The moment must lie in the book: a position that is
   * written, or a time that engine time has reached. Throws PastIsBusy, AlteredEvent, EventTooNew and whatever
   * the store throws.
   */
  async model(moment: Moment): Promise<ReadModel> {
    const key = JSON.stringify(moment)
    const known = this.#known(key)
    if (known !== undefined) return known
    if (this.#waiting >= MOST_WAITING) {
      throw new PastIsBusy(`${MOST_WAITING} questions about the past wait already: ask again later`)
    }
    this.#waiting++
    const answer = this.#turn.then(async () => this.#known(key) ?? this.#fold(key, moment))
    this.#turn = answer.catch(() => undefined)
    try {
      return await answer
    } finally {
      this.#waiting--
    }
  }

  #known(key: string): ReadModel | undefined {
    const known = this.#answers.get(key)
    if (known === undefined) return undefined
    this.#answers.delete(key)
    this.#answers.set(key, known)
    return known
  }

  async #fold(key: string, moment: Moment): Promise<ReadModel> {
    const to = 'position' in moment ? moment.position : Number.MAX_SAFE_INTEGER
    const until = 'at' in moment ? moment.at : Number.POSITIVE_INFINITY
    const near = this.#checkpoints.newest(({ position, at }) => {
      return position <= to && (at ?? Number.NEGATIVE_INFINITY) <= until
    })
    const model = near?.copy() ?? new ReadModel()
    if (model.position < to) {
      const timed = 'at' in moment
      pages: for await (const page of this.#store.read(this.#stream, model.position + 1, to)) {
        for (const stored of page) {
          if (stored.position > to) break pages
          if (!timed && !isProjected(stored.type)) model.skip(stored.position)
          else {
            const event = decodeBody(stored)
            if (event.at > until) break pages
            if (isProjected(stored.type)) model.apply(event)
            else model.skip(stored.position)
          }
          this.#checkpoints.note(model)
        }
        // The store may answer without waiting for anything: others want their turn.
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    this.#answers.set(key, model)
    if (this.#answers.size > CACHED) this.#answers.delete(this.#answers.keys().next().value!)
    return model
  }
}
