/** The help of each command, as users see it. What is not done yet is not in it. */
export const HELP: Readonly<Record<string, string>> = {
  backtest: `Usage: bitacora backtest [options]

run a strategy, or a list of orders, over recorded bars

Options:
  --data <path...>          bars as CSV: files, or folders of them
  --history                 the bars recorded in the book of --dir, with its
                            settings
  --dir <dir>               the engine's folder (default: DATA_DIR, else ./data)
  --strategy <name>         the strategy: sma_cross, mean_reversion
  --set <key=value...>      the strategy's parameters, such as fast=10
  --orders <file>           orders as CSV, in place of a strategy
  --cash <amount>           cash to begin with (default: "100000")
  --commission <fraction>   commission, of value (default: "0.001")
  --fee-per-share <amount>  commission per share, in place of --commission
  --fee-min <amount>        smallest commission of a fill, with --fee-per-share
  --slippage-bps <n>        slippage against the order, basis points (default:
                            1)
  --fill <when>             when market orders fill (choices: "next-open",
                            "same-close", default: "next-open")
  --limit-fill <rule>       whether a limit fills when touched (choices:
                            "touch", "through", default: "through")
  --participation <share>   share of a bar's volume an order may take; 0: no
                            limit (default: 0.1)
  --risk <file|off>         risk limits (default: deploy/risk.default.json)
  --timeframe <length>      what the bars must be; they are not resampled
                            (choices: "1m", "5m", "15m", "1h", "1d")
  --from <time>             first bar
  --to <time>               last bar, inclusive
  --seed <n>                recorded in the summary; nothing here is random
                            (default: 1)
  --skip-bad-rows           leave bad rows out instead of refusing the file
  --out <dir>               write summary, trades, orders, fills, equity and
                            decisions there
  --json                    print one JSON document
  -h, --help                print help

Example: bitacora backtest --data GOOG.csv --strategy sma_cross --set fast=10
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
}
