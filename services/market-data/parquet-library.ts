/** The Parquet decoder, loaded when a file needs it: most runs read none. */
import { whole } from './csv.ts'
import type { ColumnType } from './parquet-values.ts'

export interface ParquetMetadata {
  schema: ColumnType[]
  row_groups: { num_rows: bigint }[]
}

interface Source {
  byteLength: number
  slice(start: number, end?: number): ArrayBuffer
}

interface Chunk {
  columnName: string
  columnData: ArrayLike<unknown>
  rowStart: number
}

export interface ParquetLibrary {
  parquetMetadata(file: ArrayBuffer): ParquetMetadata
  parquetRead(options: {
    file: Source
    metadata: ParquetMetadata
    columns: string[]
    rowStart: number
    rowEnd: number
    compressors: object
    utf8: boolean
    parsers: { timestampFromNanoseconds(nanos: bigint): unknown }
    onChunk(chunk: Chunk): void
  }): Promise<void>
  compressors: object
}

const PACKAGES = ['hyparquet', 'hyparquet-compressors']

/** Throws CsvRefusal when the packages are not installed. */
export async function loadParquet(): Promise<ParquetLibrary> {
  let modules: unknown[]
  try {
    modules = await Promise.all(PACKAGES.map((name) => import(name)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw whole(`is Parquet, for which ${PACKAGES.join(' and ')} are missing; install with npm ci`)
  }
  const [decoder, codecs] = modules as [
    Omit<ParquetLibrary, 'compressors'>,
    { compressors: object },
  ]
  return {
    parquetMetadata: decoder.parquetMetadata,
    parquetRead: decoder.parquetRead,
    compressors: codecs.compressors,
  }
}
