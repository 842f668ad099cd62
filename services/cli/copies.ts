/** `copy-book`, `backup` and `restore`: a book in more than one place. */
import type { Command } from 'commander'
import { dirOption, folderName, jsonOption } from './options.ts'

export interface CopyOptions {
  to: string
  dir?: string
  json?: true
}

export interface PlaceOptions {
  dir?: string
  json?: true
}

export function registerCopies(program: Command): void {
  program
    .command('copy-book')
    .description('copy the book between SQLite and EventStoreDB, and compare the two')
    .requiredOption(
      '--to <place>',
      'a folder, or the URL of an EventStoreDB (esdb://…)',
      folderName,
    )
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nFrom the folder, or from EVENTSTORE_URL. Ids, positions, bodies and checksums\nstay as they are. Interrupted, it goes on where it was when it is run again; a\nplace that holds another book is refused. An engine may run: the copy ends where\nthe book ended when it began. Only one of the two may be traded on afterwards.',
    )
    .action(async (options: CopyOptions) => {
      const { runCopyCommand } = await import('./copies-run.ts')
      await runCopyCommand(options)
    })
  program
    .command('backup')
    .description("back up the book and the simulated broker's journal to a new folder")
    .argument('<folder>', 'where to; must not exist yet, or be empty', folderName)
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nAn engine may run. Book and journal fit each other: as a process killed at that\ninstant would have left them. NATS is not in it: what it holds is in the book,\ncomes again, or is made again.',
    )
    .action(async (folder: string, options: PlaceOptions) => {
      const { runBackupCommand } = await import('./copies-run.ts')
      await runBackupCommand(folder, options)
    })
  program
    .command('restore')
    .description('put a backup into an empty folder')
    .argument('<backup>', 'the folder that `bitacora backup` made', folderName)
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nEverything is checked before anything is put in place; exit code 3 when the\nbackup was altered. Where the old NATS data survives (NATS_URL, or jetstream/\nmoved into the folder), signals and controls since the backup are taken again.',
    )
    .action(async (backup: string, options: PlaceOptions) => {
      const { runRestoreCommand } = await import('./copies-run.ts')
      await runRestoreCommand(backup, options)
    })
}
