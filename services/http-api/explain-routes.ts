import type { FastifyInstance } from 'fastify'
import type { ReadModel } from '../../projections/read-model.ts'
import type { ExplainBody } from '../../schemas/types.gen.ts'
import { answer, type AnswerContext } from './answer.ts'
import { Problem, type ProblemKind } from './problem.ts'

/** Answers why. Throws errors with the codes of `KINDS`. */
export interface Explains {
  explain(name: string, model: ReadModel): Promise<ExplainBody>
}

const KINDS: Readonly<Record<string, ProblemKind>> = {
  nothing_to_explain: 'not-found',
  ambiguous_name: 'ambiguous-id',
  past_is_busy: 'past-is-busy',
}

export function explainRoutes(
  app: FastifyInstance,
  context: AnswerContext,
  explainer: Explains,
): void {
  answer(app, '/explain/:id', context, {
    summary: 'Why an order, a signal, a bar or any event is as it is, and what came of it',
    parameters: {},
    path: {
      name: 'id',
      description:
        'Number of an order or the id that the broker knows; id of a signal; `p:<position>` of any event; ' +
        '`bar:<symbol>:<start>` of a bar',
    },
    body: 'explain-body',
    problems: { 404: 'Nothing answers to it', 409: 'Several signals have this id' },
    async build(model, _query, id) {
      try {
        return await explainer.explain(id, model)
      } catch (error) {
        const kind = KINDS[(error as { code?: string }).code ?? '']
        if (kind === undefined) throw error
        const headers = kind === 'past-is-busy' ? { 'retry-after': '1' } : {}
        throw new Problem(kind, (error as Error).message, { headers })
      }
    },
  })
}
