/** What a command's exit code says; scripts branch on it. */
export const EXIT = { ok: 0, failed: 1, usage: 2, refused: 3, unreachable: 4 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A failure that a command foresees. `details` go into the JSON document. */
export class CliError extends Error {
  override name = 'CliError'
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>
  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** Options that are wrong or contradict each other; one line for each. */
export class UsageError extends CliError {
  override name = 'UsageError'
  constructor(...problems: string[]) {
    super('usage', problems.join('\n'))
  }
}

/** Every code a command can meet. A code that is not here is a failure of the program: 1. */
export const CODES: Readonly<Record<string, ExitCode>> = {
  usage: EXIT.usage,
  bad_bars_file: EXIT.usage,
  bad_actions_file: EXIT.usage,
  bad_orders_file: EXIT.usage,
  bad_bar_range: EXIT.usage,
  cannot_resample: EXIT.usage,
  outside_calendar: EXIT.usage,
  bad_risk_file: EXIT.usage,
  bad_keys_file: EXIT.usage,
  bad_tokens_file: EXIT.usage,
  non_loopback_host: EXIT.usage,
  eventstore_url_invalid: EXIT.usage,
  invalid_params: EXIT.usage,
  invalid_parameter: EXIT.usage,
  invalid_settings: EXIT.usage,
  invalid_config: EXIT.usage,
  invalid_exchange_settings: EXIT.usage,
  invalid_signal: EXIT.usage,
  nothing_to_explain: EXIT.usage,
  ambiguous_name: EXIT.usage,
  invalid_control: EXIT.usage,
  out_not_empty: EXIT.usage,
  folder_not_empty: EXIT.usage,
  bad_anchor: EXIT.usage,

  // The disk, not the command, is at fault: the same call may succeed once it is mended.
  out_unwritable: EXIT.failed,

  denied: EXIT.refused,
  verification_failed: EXIT.refused,
  corrupt_book: EXIT.refused,
  altered_event: EXIT.refused,
  book_diverged: EXIT.refused,
  book_older: EXIT.refused,
  copy_ahead: EXIT.refused,
  server_behind_copy: EXIT.refused,
  server_diverged: EXIT.refused,
  backup_damaged: EXIT.refused,
  broker_ahead: EXIT.refused,
  broker_behind: EXIT.refused,

  no_book: EXIT.unreachable,
  not_a_book: EXIT.unreachable,
  book_too_new: EXIT.unreachable,
  no_backup: EXIT.unreachable,
  backup_too_new: EXIT.unreachable,
  bad_restore_mark: EXIT.unreachable,
  not_a_journal: EXIT.unreachable,
  book_busy: EXIT.unreachable,
  book_unavailable: EXIT.unreachable,
  no_bars: EXIT.unreachable,
  no_engine: EXIT.unreachable,
  not_running: EXIT.unreachable,
  engine_unreachable: EXIT.unreachable,
  no_verdict: EXIT.unreachable,
  not_confirmed: EXIT.unreachable,
  folder_in_use: EXIT.unreachable,
  folder_not_made: EXIT.unreachable,
  lease_held: EXIT.unreachable,
  lease_lost: EXIT.unreachable,
  journal_unavailable: EXIT.unreachable,
  two_books: EXIT.unreachable,
  book_elsewhere: EXIT.unreachable,
  nats_moved: EXIT.unreachable,
  eventstore_unreachable: EXIT.unreachable,
  eventstore_unauthorized: EXIT.unreachable,
  eventstore_refused: EXIT.unreachable,
  eventstore_stream_deleted: EXIT.unreachable,
  eventstore_truncated: EXIT.unreachable,
  eventstore_regressed: EXIT.unreachable,
  eventstore_foreign_event: EXIT.refused,
  port_in_use: EXIT.unreachable,
  wrong_expected_position: EXIT.unreachable,
  nats_unreachable: EXIT.unreachable,
  nats_unauthorized: EXIT.unreachable,
  nats_server_missing: EXIT.unreachable,
  nats_server_too_old: EXIT.unreachable,
  nats_server_failed: EXIT.unreachable,
  jetstream_disabled: EXIT.unreachable,
  jetstream_locked: EXIT.unreachable,
  no_stream: EXIT.unreachable,
  publish_timeout: EXIT.unreachable,
  publish_refused: EXIT.unreachable,
  stream_gone: EXIT.unreachable,
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'failed'
}

export function exitCodeOf(error: unknown): ExitCode {
  const code = codeOf(error)
  // Whatever belongs to another book is in use by it.
  if (code.startsWith('foreign_')) return EXIT.unreachable
  return Object.hasOwn(CODES, code) ? CODES[code]! : EXIT.failed
}
