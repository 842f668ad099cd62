import { ReadModel } from '../../../projections/read-model.ts'
import { encodeBody } from '../../../engine/events/envelope.ts'
import { TestBook } from '../../../projections/testing/book.ts'
import type { BodyName } from '../../../schemas/types.gen.ts'
import { errorsText, validateBody } from '../../../schemas/validate.ts'
import { MemoryStore } from '../../adapters/memory/memory-store.ts'
import type { Projected, Remembers } from '../answer.ts'
import type { Commands } from '../commands.ts'
import type { Explains } from '../explain-routes.ts'
import { createHttpApi, type HttpApi, type HttpApiOptions } from '../http-api.ts'

/** A book in memory whose events are folded when a test says so. */
export class FakeProjector implements Projected {
  readonly book = new TestBook()
  readonly model = new ReadModel()
  readonly stored = { store: new MemoryStore(), stream: 'book' }
  failed: Error | null = null
  #wake = new Set<() => void>()

  position(): number {
    return this.model.position
  }

  failure(): Error | null {
    return this.failed
  }

  /** Folds what the test has added to the book. */
  fold(): this {
    for (const event of this.book.events.slice(this.model.position + 1)) this.model.apply(event)
    for (const wake of this.#wake) wake()
    return this
  }

  /** Folds what the test has added, and writes it to the store as well. */
  async write(): Promise<void> {
    const { store, stream } = this.stored
    this.fold()
    const head = await store.head(stream)
    const proposed = this.book.events.slice(head + 1).map((event) => ({
      id: event.id,
      type: event.type,
      body: encodeBody(event),
      checksum: 'c'.repeat(64),
    }))
    if (proposed.length > 0) await store.append(stream, head, proposed)
  }

  waitFor(position: number, timeoutMs: number): Promise<boolean> {
    if (position <= this.model.position) return Promise.resolve(true)
    if (this.failed !== null) return Promise.resolve(false)
    return new Promise((resolve) => {
      const end = (reached: boolean): void => {
        clearTimeout(timer)
        this.#wake.delete(check)
        resolve(reached)
      }
      const check = (): void => {
        if (position <= this.model.position) end(true)
      }
      const timer = setTimeout(() => end(false), timeoutMs)
      this.#wake.add(check)
    })
  }
}

/** Folds the test's book anew for every question about the past. */
export function rememberedBy({ book }: FakeProjector): Remembers {
  return {
    async model(moment) {
      const model = new ReadModel()
      for (const event of book.events) {
        if ('position' in moment ? event.position > moment.position : event.at > moment.at) break
        model.apply(event)
      }
      return model
    },
  }
}

/** For tests that send nothing. */
export const NO_COMMANDS: Commands = {
  signalFaults: () => [],
  controlFaults: () => [],
  signal: () => Promise.reject(new Error('was sent')),
  control: () => Promise.reject(new Error('was sent')),
}

/** For tests that ask for no explanation. */
export const NEVER: Explains = { explain: () => Promise.reject(new Error('was asked')) }

/** For tests of all addresses. */
export const METRICS = async (): Promise<{ type: string; text: string }> => ({
  type: 'text/plain; version=0.0.4; charset=utf-8',
  text: 'up 1\n',
})

export const READY = { ready: true, checks: [], version: '1.2.3', role: 'writer' }

/** Runs a test against an API on a free port, and closes it whatever happens. */
export async function withApi(
  run: (api: HttpApi, projector: FakeProjector) => Promise<void>,
  change: Partial<HttpApiOptions> = {},
): Promise<void> {
  const projector = new FakeProjector()
  const api = await createHttpApi({
    projector,
    past: rememberedBy(projector),
    explainer: NEVER,
    book: projector.stored,
    commands: NO_COMMANDS,
    host: '127.0.0.1',
    port: 0,
    info: () => READY,
    ...change,
  })
  try {
    await run(api, projector)
  } finally {
    await api.close()
  }
}

/** The fields that tests look at most; the others are what the test says they are. */
export interface AnswerBody {
  type?: string
  detail?: string
  errors?: { pointer: string; detail: string }[]
  items?: Record<string, unknown>[]
  next?: string | null
  [field: string]: unknown
}

export interface Answer {
  status: number
  headers: Headers
  body: AnswerBody
  text: string
}

export async function get(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  const body = text === '' ? {} : (JSON.parse(text) as Answer['body'])
  return { status: response.status, headers: response.headers, body, text }
}

/** What is wrong with a body by its schema; '' when nothing is. */
export function flaws(name: BodyName, body: unknown): string {
  const result = validateBody(name, body)
  return result.ok ? '' : errorsText(result.errors)
}
