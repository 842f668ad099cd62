import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDotenv } from './dotenv.ts'

function values(text: string): Record<string, string> {
  const { entries, problems } = parseDotenv(text)
  assert.equal(problems, [])
  return Object.fromEntries(entries.map(({ name, value }) => [name, value]))
}

test('plain, quoted, exported and commented values', () => {
  const text = [
    '\uFEFF# a comment',
    '',
    'A=1',
    '  B = two words  # and why',
    'export C=3',
    'D=',
    'E= # only a comment',
    'F=a#b',
    `G='single # \\n $A "x"' # after`,
    'H="tab\\t line\\n quote\\" dollar\\$ slash\\\\ other\\x"#after',
    'I=$A${B}',
    'J=a=b=c',
    'K=""',
  ].join('\r\n')
  assert.equal(values(text), {
    A: '1',
    B: 'two words',
    C: '3',
    D: '',
    E: '',
    F: 'a#b',
    G: 'single # \\n $A "x"',
    H: 'tab\t line\n quote" dollar$ slash\\ other\\x',
    I: '$A${B}',
    J: 'a=b=c',
    K: '',
  })
})

test('entries and problems carry their line; problems never show a value', () => {
  const read = parseDotenv("A=1\nhunter2\nB=\"hunter2\nC='x' hunter2\n2D=hunter2\nE=5")
  assert.equal(
    read.entries.map(({ name, line }) => [name, line]),
    [
      ['A', 1],
      ['E', 6],
    ],
  )
  assert.equal(read.problems, [
    { line: 2, message: 'is not NAME=value' },
    { line: 3, message: 'B has no closing " on its line' },
    { line: 4, message: "C has text after its closing '" },
    { line: 5, message: 'is not NAME=value' },
  ])
})

test('any text without line breaks survives double quotes', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => !/[\r\n]/.test(text)),
      (text) => {
        const quoted = text.replace(/[\\"$]/g, '\\$&')
        assert.is(values(`X="${quoted}"`).X, text)
      },
    ),
  )
})

test('no text makes it throw, and every line that says something is an entry or a problem', () => {
  const line = fc.stringMatching(/^[A-Z=#"' \\a]{0,12}$/)
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const { entries, problems } = parseDotenv(lines.join('\n'))
      const telling = lines.filter((text) => text.trim() !== '' && !text.trim().startsWith('#'))
      assert.is(entries.length + problems.length, telling.length)
    }),
  )
})

test.run()
