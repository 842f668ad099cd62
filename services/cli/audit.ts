/** `audit`: whether the book is as it was written, and whole. */
import type { Command } from 'commander'
import { dirOption, jsonOption } from './options.ts'

export interface AuditOptions {
  anchor?: string[]
  dir?: string
  json?: true
}

export function registerAudit(program: Command): void {
  const audit = program
    .command('audit')
    .description('check the chained checksums of the book, and note where it ends')
    .helpCommand(false)
  audit
    .command('verify')
    .description('check every byte of the book, and that nothing is missing at its end')
    .option(
      '--anchor <file|checksum...>',
      'what `audit anchor` printed, kept elsewhere; or a checksum',
    )
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nNothing is decided again: see `verify` for that. Exit code 3 when a byte was\naltered, or an anchor has seen more than the book holds. Anchors noted in the\nfolder are always compared; a cut that took them too shows only by one that was\nkept elsewhere.',
    )
    .action(async (options: AuditOptions) => {
      const { runAuditCommand } = await import('./audit-run.ts')
      await runAuditCommand(options)
    })
  audit
    .command('anchor')
    .description('print where the book ends, as one line of JSON to keep elsewhere')
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample: bitacora audit anchor >> /mnt/elsewhere/anchors.ndjson')
    .action(async (options: AuditOptions) => {
      const { runAnchorCommand } = await import('./audit-run.ts')
      await runAnchorCommand(options)
    })
}
