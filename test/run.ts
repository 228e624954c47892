/**
 * `npm test`, `npm run test:integration` and `npm run test:e2e -- [filter]`: runs vitest's projects one after the other, compiles
 * what a later one needs beside an earlier one, and ends with one line `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { buildPrograms } from "../deploy/local/build.ts";
import { CONTROL_PLANE_PROGRAMS } from "../deploy/local/programs.ts";

interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Tests that failed, and files that could not be run, by name. */
  readonly failures: readonly string[];
  /** Tests that did not run, by full name. */
  readonly skipped: readonly string[];
}

/** The part of vitest's JSON report that is read. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

const ROOT = join(import.meta.dirname, "..");
const PROJECTS = new Set(["unit", "integration", "cluster", "e2e"]);

const { positionals } = parseArgs({ allowPositionals: true });
const projects = positionals.filter((each) => PROJECTS.has(each));
const filters = positionals.filter((each) => !PROJECTS.has(each));

// Compiled while the unit tests run; on a cold machine it takes minutes.
const programs = projects.includes("integration")
  ? buildPrograms([...CONTROL_PLANE_PROGRAMS, "registry"], {
      assets: process.env["KUBEBUILDER_ASSETS"],
      log: (line) => process.stderr.write(`${line}\n`),
    })
  : Promise.resolve(undefined);
// Reported where it is awaited; a unit test that fails must be seen first.
programs.catch(() => {});

const directory = mkdtempSync(join(tmpdir(), "modelhook-test-"));
const results: Counts[] = [];
try {
  for (const project of projects) {
    if (project !== "unit") await programs;
    results.push(await runProject(project));
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
for (const name of results.flatMap(({ skipped }) => skipped))
  process.stdout.write(`skipped: ${name}\n`);
// Where only the end of a long output is kept, that is what is looked for in it.
for (const name of results.flatMap(({ failures }) => failures))
  process.stdout.write(`failed: ${name}\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

async function runProject(project: string): Promise<Counts> {
  const file = join(directory, `${project}.json`);
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  // A filter may be for one of several projects; that none has such a test is seen in the sum.
  const chosen = filters.length === 0 ? [] : ["--passWithNoTests", ...filters];
  const child = spawn(
    process.execPath,
    [vitest, "run", "--project", project, ...reporters, ...chosen],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (status) => resolve(status ?? 1));
  });
  return countsOf(readReport(file, project), code);
}

function readReport(file: string, project: string): Report {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch (cause) {
    throw new Error(`vitest wrote no report of the project ${project}`, { cause });
  }
}

function countsOf(report: Report, code: number): Counts {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  // A file that can not be loaded has no tests, and must not pass for that; nor may an error outside of tests.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  const count = report.numFailedTests + broken.length;
  return {
    passed: report.numPassedTests,
    failed: count === 0 && code !== 0 ? 1 : count,
    failures: [
      ...tests.filter(({ status }) => status === "failed").map(({ fullName }) => fullName),
      ...broken.map(({ name }) => relative(ROOT, name)),
    ],
    skipped: tests
      .filter(({ status }) => status !== "passed" && status !== "failed")
      .map(({ fullName }) => fullName),
  };
}
