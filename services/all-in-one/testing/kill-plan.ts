import type { Boundary } from '../../runtime/boundary.ts'

export const TARGETS = ['engine', 'nats', 'both'] as const
export const MODES = ['lock-step', 'free-running'] as const
export const STORES = ['sqlite', 'double'] as const
export type Target = (typeof TARGETS)[number]
export type Mode = (typeof MODES)[number]
export type Store = (typeof STORES)[number]

/** Where a process is killed: at a boundary, in the event store behind gRPC, or at an instant of the clock. */
export type KillPoint = Boundary | 'append.arrived' | 'append.written' | 'random'

/** The kill points in the order in which an input passes them, each under the boundary that it belongs to. */
export const KILL_POINTS: readonly { boundary: string; at: KillPoint; what: string }[] = [
  { boundary: 'input received', at: 'input.received', what: 'a message came in' },
  { boundary: 'step computed', at: 'step.computed', what: 'in memory only' },
  { boundary: 'append sent', at: 'append.sent', what: 'about to be handed to the store' },
  { boundary: 'append sent', at: 'append.pending', what: 'handed over, not answered' },
  { boundary: 'append sent', at: 'append.arrived', what: 'arrived there, not written' },
  { boundary: 'append sent', at: 'append.written', what: 'written there, not answered' },
  { boundary: 'append confirmed', at: 'append.confirmed', what: 'in the book, nothing done' },
  {
    boundary: 'effect released',
    at: 'effect.released',
    what: 'read from the book, not acted upon',
  },
  { boundary: 'broker called', at: 'broker.called', what: 'about to call' },
  { boundary: 'broker called', at: 'broker.answered', what: 'answered' },
  { boundary: 'report received', at: 'report.received', what: 'not on NATS yet' },
  { boundary: 'acknowledgement sent', at: 'ack.sent', what: 'may still lie in a buffer' },
  { boundary: 'random instant', at: 'random', what: 'from before it is up to the end of the data' },
]

/** Kill points that lie in the process of the event store: only a store behind a wire has them. */
const REMOTE: readonly KillPoint[] = ['append.arrived', 'append.written']

export interface Strike {
  at: KillPoint
  /** How far into the run, as a share of the passages (or of the time) that a run without kills takes. */
  share: number
}

export interface PlannedSignal {
  id: string
  operator: string
  side: 'buy' | 'sell'
  qty: number
  /** When it is published, ms after the case began. */
  afterMs: number
  /** How often the same signal is published. */
  times: number
}

export interface KillCase {
  id: number
  at: KillPoint
  target: Target
  mode: Mode
  store: Store
  /** Number of the settings under which it trades. */
  profile: number
  /** The first is at `at`; each further one hits the start that follows, or the running engine when only NATS is killed. */
  strikes: Strike[]
  /** Published while it runs; none in lock-step, whose decisions are compared with an undisturbed run's. */
  signals: PlannedSignal[]
}

export type Cell = Pick<KillCase, 'at' | 'target' | 'mode' | 'store'>

/** Every combination that there is, those that differ most from each other first. */
export function cells(): Cell[] {
  const all: Cell[] = []
  for (let turn = 0; turn < MODES.length * STORES.length; turn++) {
    KILL_POINTS.forEach(({ at }, row) => {
      TARGETS.forEach((target, column) => {
        // Each pass gives neighbours another mode and store, so that a short run has met all of them.
        const way = (turn + row + column) % (MODES.length * STORES.length)
        const mode = MODES[way % MODES.length]!
        const store = STORES[Math.floor(way / MODES.length)]!
        if (store === 'double' || !REMOTE.includes(at)) all.push({ at, target, mode, store })
      })
    })
  }
  return all
}

export function cellName({ at, target, mode, store }: Cell): string {
  return `${at}/${target}/${mode}/${store}`
}

const PROFILE_COUNT = 3

const CELLS = cells()

/** The case with a number; cell by cell, and round again. The same seed gives the same case. */
export function planCase(id: number, seed: number): KillCase {
  const cell = CELLS[id % CELLS.length]!
  const next = random(seed, id)
  const points = KILL_POINTS.map(({ at }) => at).filter(
    (at) => cell.store === 'double' || !REMOTE.includes(at),
  )
  // The very first passage, where the book begins, is met more often than chance would.
  const strikes: Strike[] = [{ at: cell.at, share: next() < 0.08 ? 0 : next() }]
  // Recovery is short: most further kills fall early in it.
  while (strikes.length < 4 && next() < 0.3) {
    strikes.push({ at: points[Math.floor(next() * points.length)]!, share: next() ** 2 * 0.5 })
  }
  const signals: PlannedSignal[] = []
  if (cell.mode === 'free-running') {
    const count = Math.floor(next() * 4)
    for (let i = 1; i <= count; i++) {
      signals.push({
        id: `manual-${id}-${i}`,
        operator: next() < 0.5 ? 'alice' : 'bob',
        side: next() < 0.5 ? 'buy' : 'sell',
        qty: 1 + Math.floor(next() * 20),
        afterMs: Math.floor(next() * 2500),
        times: next() < 0.3 ? 2 : 1,
      })
    }
  }
  return { id, ...cell, profile: Math.floor(next() * PROFILE_COUNT), strikes, signals }
}

/** The first cases of which `wanted` is true of their cell's name. Throws RangeError when none would ever be. */
export function planCases(
  count: number,
  seed: number,
  wanted: (cell: string) => boolean = () => true,
): KillCase[] {
  if (!CELLS.some((cell) => wanted(cellName(cell)))) throw new RangeError('no case is like that')
  const cases: KillCase[] = []
  for (let id = 0; cases.length < count; id++) {
    const plan = planCase(id, seed)
    if (wanted(cellName(plan))) cases.push(plan)
  }
  return cases
}

/** A few cases that meet every kill point, and every target, mode and store several times. */
export function sampleCases(seed: number): KillCase[] {
  const chosen = KILL_POINTS.flatMap(({ at }, row) => {
    const targets = row % 4 === 0 ? [row, row + 1] : [row]
    return targets.map((target) => {
      const alike = [...CELLS.keys()].filter((id) => {
        const cell = CELLS[id]!
        return cell.at === at && cell.target === TARGETS[target % TARGETS.length]
      })
      return alike[row % alike.length]!
    })
  })
  return chosen.map((id) => ({ ...planCase(id, seed), profile: 0 }))
}

/** Numbers from 0 up to 1 (mulberry32), the same for the same two integers. */
export function random(seed: number, stream: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
