import type { ChainSettings } from '../../schemas/types.gen.ts'
import type { Processor } from './processor.ts'

export interface SettingsState {
  bookId: string
  account: string
  /** What the last engine.started recorded; null before the first. */
  settings: ChainSettings | null
  /** JSON of the settings, to see a change. */
  text: string
  /** Counts changes; a processor that has seen another number rebuilds what depends on settings. */
  version: number
}

/** Keeps the settings in force: they are recorded, so a replay decides by what was in force then. */
export const settingsProcessor: Processor<SettingsState> = {
  name: 'settings',
  handles: ['book.created', 'engine.started'],
  initial: () => ({ bookId: '', account: '', settings: null, text: '', version: 0 }),
  handle(state, event) {
    if (event.type === 'book.created') {
      state.bookId = event.data.bookId
      state.account = event.data.account
    } else if (event.type === 'engine.started') {
      const text = JSON.stringify(event.data.settings)
      if (text !== state.text) {
        state.settings = event.data.settings
        state.text = text
        state.version++
      }
    }
    return state
  },
}
