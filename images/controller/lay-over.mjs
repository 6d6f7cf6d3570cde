// lay-over.mjs BASE OVER: merges the second JSON file into the first, key by key; lists and plain values are replaced.
import { readFileSync, writeFileSync } from 'node:fs'

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value)
const merge = (base, over) =>
  isObject(base) && isObject(over)
    ? Object.fromEntries(
        [...new Set([...Object.keys(base), ...Object.keys(over)])].map((key) => [
          key,
          key in over ? merge(base[key], over[key]) : base[key],
        ]),
      )
    : over

const [base, over] = process.argv.slice(2)
const read = (file) => JSON.parse(readFileSync(file, 'utf8'))
writeFileSync(base, JSON.stringify(merge(read(base), read(over)), null, 2))
