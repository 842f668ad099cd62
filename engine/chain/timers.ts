import { formatTime, parseTime } from '../time.ts'
import type { Processor } from './processor.ts'

export interface TimersState {
  /** Timers that wait, by due time, then name. */
  waiting: { name: string; dueAt: number }[]
}

/** Keeps the timers that processors set. The host sequences each as an input before the first later input. */
export const timersProcessor: Processor<TimersState> = {
  name: 'timers',
  handles: ['timer.set', 'timer.fired'],
  initial: () => ({ waiting: [] }),
  handle(state, event) {
    if (event.type === 'timer.set') {
      const { name } = event.data
      state.waiting = state.waiting.filter((timer) => timer.name !== name)
      state.waiting.push({ name, dueAt: parseTime(event.data.dueAt) })
      state.waiting.sort((a, b) => a.dueAt - b.dueAt || (a.name < b.name ? -1 : 1))
    } else if (event.type === 'timer.fired') {
      const { name } = event.data
      state.waiting = state.waiting.filter((timer) => timer.name !== name)
    }
    return state
  },
}

/** The timer that must be sequenced before an input at `at`, or null. */
export function dueBefore(state: TimersState, at: number): { name: string; dueAt: number } | null {
  const first = state.waiting[0]
  return first !== undefined && first.dueAt < at ? first : null
}

export function timerData(timer: { name: string; dueAt: number }): { name: string; dueAt: string } {
  return { name: timer.name, dueAt: formatTime(timer.dueAt) }
}
