#!/usr/bin/env node
import { commands } from './cli/commands.ts'
import { runProgram } from './cli/program.ts'

process.exitCode = await runProgram(process.argv.slice(2), commands)
