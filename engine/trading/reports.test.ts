import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { validateEvent } from '../../schemas/validate.ts'
