/** The help of each command, as users see it. What is not done yet is not in it. */
export const HELP: Readonly<Record<string, string>> = {
  backtest: `Usage: bitacora backtest [options]

run a strategy, or a list of orders, over recorded bars

Options:
  --data <path...>            bars: CSV, .csv.gz or Parquet files, or folders of
                              them
  --history                   the bars recorded in the book of --dir, with its
                              settings
  --dir <dir>                 the engine's folder (default: DATA_DIR, else
                              ./data)
  --strategy <name>           the strategy: sma_cross, mean_reversion
  --set <key=value...>        the strategy's parameters, such as fast=10
  --orders <file>             orders as CSV, in place of a strategy
  --cash <amount>             cash to begin with (default: "100000")
  --commission <fraction>     commission, of value (default: "0.001")
  --fee-per-share <amount>    commission per share, in place of --commission
  --fee-min <amount>          smallest commission of a fill, with
                              --fee-per-share
  --slippage-bps <n>          slippage against the order, basis points (default:
                              1)
  --fill <when>               when market orders fill (choices: "next-open",
                              "same-close", default: "next-open")
  --limit-fill <rule>         whether a limit fills when touched (choices:
                              "touch", "through", default: "through")
  --participation <share>     share of a bar's volume an order may take; 0: no
                              limit (default: 0.1)
  --spread-bps <n>            spread assumed, basis points; market and stop
                              orders pay half (default: 0)
  --impact-bps <n>            price impact of an order of a bar's whole volume,
                              basis points (default: 0)
  --regulatory-fees <market>  fees of SEC and FINRA on sales, by date (default:
                              none) (choices: "none", "us-equity")
  --borrow-rate <fraction>    yearly fee on short positions (default: 0)
  --shorts <which>            what may be sold short: all, none, or symbols such
                              as AAPL,MSFT (default: all)
  --multiplier <n>            checks buying power: 1 cash, 2 overnight margin, 4
                              intraday (default: unchecked) (choices: "1", "2",
                              "4")
  --wash-trades <rule>        orders that could meet one of one's own (default:
                              allow) (choices: "allow", "refuse")
  --risk <file|off>           risk limits (default: deploy/risk.default.json)
  --timeframe <length>        length of the bars; shorter ones are resampled
                              (choices: "1m", "5m", "15m", "1h", "1d")
  --sessions <market>         trading hours that orders keep to (default: none)
                              and resampling goes by (default: crypto for pairs
                              such as BTC/USD, else us-equity) (choices:
                              "us-equity", "crypto")
  --extended-hours            resampled daily bars hold pre- and post-market too
  --from <time>               first bar
  --to <time>                 last bar, inclusive
  --warmup <n>                bars before --from, or the first ones, that only
                              warm features up
  --actions <file>            splits, dividends, delistings and renames as CSV:
                              symbol, ex_date, kind, value
  --seed <n>                  recorded in the summary; nothing here is random
                              (default: 1)
  --skip-bad-rows             leave bad rows out instead of refusing the file
  --out <dir>                 write summary, trades, orders, fills, equity and
                              decisions there
  --json                      print one JSON document
  -h, --help                  print help

Example: bitacora backtest --data GOOG.csv --strategy sma_cross --set fast=10
`,
  explain: `Usage: bitacora explain [options] <id>

why an order, a signal, a bar or any event is as it is

Arguments:
  id           number of an order, id of a signal, bar:<symbol>:<start> or
               p:<position>

Options:
  --dir <dir>  the engine's folder (default: DATA_DIR, else ./data)
  --json       print one JSON document
  -h, --help   print help

Reads the book, whether the engine runs or not. For an order: the chain from its
bar or operator to its last fill. For a signal that became no order: the rule,
what it saw and what it allows. For a bar on which nothing happened: what each
strategy looked at.
`,
  verify: `Usage: bitacora verify [options]

decide everything in the book again from its inputs, and compare

Options:
  --from <position>  first position to compare
  --to <position>    last position to compare
  --dir <dir>        the engine's folder (default: DATA_DIR, else ./data)
  --json             print one JSON document
  -h, --help         print help

Exit code 3 and the first divergence, with its causes, when the same code
decides otherwise or a byte was altered. Stretches recorded by other code are
listed apart.
`,
  whatif: `Usage: bitacora whatif [options]

decide the book again under other limits or parameters, and compare

Options:
  --strategy <name>     the strategy: sma_cross, mean_reversion
  --set <key=value...>  the strategy's parameters, such as fast=10
  --risk <file|off>     risk limits in place of those recorded
  --from <position>     first position to decide again
  --to <position>       last position to decide again
  --dir <dir>           the engine's folder (default: DATA_DIR, else ./data)
  --json                print one JSON document
  -h, --help            print help

Bars, signals and controls are those of the book. So are fills, as long as the
same is decided; from the first other decision on the simulated exchange fills,
with the exchange settings of the book. --strategy names the strategy that --set
is about, or one to run in place of all. Writes nothing.
`,
  signal: `Usage: bitacora signal [options] <side> <symbol>

ask the engine to trade, and print its verdict

Arguments:
  side                    what is wanted (choices: "buy", "sell", "close")
  symbol                  ticker, such as AAPL

Options:
  --qty <shares>          shares
  --notional <amount>     value instead of shares
  --limit <price>         limit order at this price
  --stop <price>          stop order at this price
  --take-profit <price>   exit with a gain, placed with the entry
  --stop-loss <price>     exit with a loss, placed with the entry
  --trail-percent <n>     trailing exit instead of --stop-loss
  --tif <time>            how long the order stands (choices: "day", "gtc")
  --reason <text>         why, in words
  --valid-for <duration>  how long it may be acted upon (default: PT1M)
  --id <id>               the same id is acted upon once (default: a new one)
  --operator <name>       who asks (default: USER, else cli)
  --wait <time>           how long to wait for the verdict (default: 5s)
  --no-wait               return as soon as it is stored
  --dir <dir>             the engine's folder (default: DATA_DIR, else ./data)
  --json                  print one JSON document
  -h, --help              print help

Exit code 3 when denied, 4 when stored but not answered in time. Signed when
SIGNALS_KEYS_FILE has the operator's key.
`,
  halt: `Usage: bitacora halt [options]

stop trading: cancel what works, send nothing until resume

Options:
  --reason <text>  why, in words: it is recorded
  --actor <name>   who asks (default: USER, else cli)
  --wait <time>    how long to wait until the engine confirms (default: 5s)
  --dir <dir>      the engine's folder (default: DATA_DIR, else ./data)
  --json           print one JSON document
  -h, --help       print help
`,
  resume: `Usage: bitacora resume [options]

allow trading again

Options:
  --reason <text>  why, in words: it is recorded
  --actor <name>   who asks (default: USER, else cli)
  --wait <time>    how long to wait until the engine confirms (default: 5s)
  --dir <dir>      the engine's folder (default: DATA_DIR, else ./data)
  --json           print one JSON document
  -h, --help       print help
`,
  'cancel-all': `Usage: bitacora cancel-all [options]

cancel every working order

Options:
  --reason <text>  why, in words: it is recorded
  --actor <name>   who asks (default: USER, else cli)
  --wait <time>    how long to wait until the engine confirms (default: 5s)
  --dir <dir>      the engine's folder (default: DATA_DIR, else ./data)
  --json           print one JSON document
  -h, --help       print help
`,
  flatten: `Usage: bitacora flatten [options]

close every position

Options:
  --reason <text>  why, in words: it is recorded
  --actor <name>   who asks (default: USER, else cli)
  --wait <time>    how long to wait until the engine confirms (default: 5s)
  --dir <dir>      the engine's folder (default: DATA_DIR, else ./data)
  --json           print one JSON document
  -h, --help       print help
`,
  status: `Usage: bitacora status [options]

print what runs, whether it may trade, and what it holds

Options:
  --dir <dir>  the engine's folder (default: DATA_DIR, else ./data)
  --json       print one JSON document
  -h, --help   print help

Exit code 4 when no engine runs there, with what its folder holds.
`,
  audit: `Usage: bitacora audit [options] [command]

check the chained checksums of the book, and note where it ends

Options:
  -h, --help        print help

Commands:
  verify [options]  check every byte of the book, and that nothing is missing at
                    its end
  anchor [options]  print where the book ends, as one line of JSON to keep
                    elsewhere
`,
  'audit verify': `Usage: bitacora audit verify [options]

check every byte of the book, and that nothing is missing at its end

Options:
  --anchor <file|checksum...>  what \`audit anchor\` printed, kept elsewhere; or a
                               checksum
  --dir <dir>                  the engine's folder (default: DATA_DIR, else
                               ./data)
  --json                       print one JSON document
  -h, --help                   print help

Nothing is decided again: see \`verify\` for that. Exit code 3 when a byte was
altered, or an anchor has seen more than the book holds. Anchors noted in the
folder are always compared; a cut that took them too shows only by one that was
kept elsewhere.
`,
  'audit anchor': `Usage: bitacora audit anchor [options]

print where the book ends, as one line of JSON to keep elsewhere

Options:
  --dir <dir>  the engine's folder (default: DATA_DIR, else ./data)
  --json       print one JSON document
  -h, --help   print help

Example: bitacora audit anchor >> /mnt/elsewhere/anchors.ndjson
`,
  'copy-book': `Usage: bitacora copy-book [options]

copy the book between SQLite and EventStoreDB, and compare the two

Options:
  --to <place>  a folder, or the URL of an EventStoreDB (esdb://…)
  --dir <dir>   the engine's folder (default: DATA_DIR, else ./data)
  --json        print one JSON document
  -h, --help    print help

From the folder, or from EVENTSTORE_URL. Ids, positions, bodies and checksums
stay as they are. Interrupted, it goes on where it was when it is run again; a
place that holds another book is refused. An engine may run: the copy ends where
the book ended when it began. Only one of the two may be traded on afterwards.
`,
  backup: `Usage: bitacora backup [options] <folder>

back up the book and the simulated broker's journal to a new folder

Arguments:
  folder       where to; must not exist yet, or be empty

Options:
  --dir <dir>  the engine's folder (default: DATA_DIR, else ./data)
  --json       print one JSON document
  -h, --help   print help

An engine may run. Book and journal fit each other: as a process killed at that
instant would have left them. NATS is not in it: what it holds is in the book,
comes again, or is made again.
`,
  restore: `Usage: bitacora restore [options] <backup>

put a backup into an empty folder

Arguments:
  backup       the folder that \`bitacora backup\` made

Options:
  --dir <dir>  the engine's folder (default: DATA_DIR, else ./data)
  --json       print one JSON document
  -h, --help   print help

Everything is checked before anything is put in place; exit code 3 when the
backup was altered. Where the old NATS data survives (NATS_URL, or jetstream/
moved into the folder), signals and controls since the backup are taken again.
`,
  rebuild: `Usage: bitacora rebuild [options]

make projections and TAPE again from the book, and compare

Options:
  --projections  only the projections
  --tape         only TAPE; no engine may run on the folder
  --dir <dir>    the engine's folder (default: DATA_DIR, else ./data)
  --json         print one JSON document
  -h, --help     print help

Projections are folds in memory: they are folded from the first event and, where
an engine runs, compared with what it serves at the same position; exit code 3
when they differ. TAPE is emptied and published again, in the folder's own NATS
server or the one of NATS_URL; a running engine looks after its TAPE itself.
`,
}
