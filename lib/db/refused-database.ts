/** A database this server must not run on, and what to change. Its message is meant for the operator. */
export class RefusedDatabase extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The database is refused:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.name = "RefusedDatabase";
    this.problems = problems;
  }
}
