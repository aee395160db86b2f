import { Command, CommanderError } from "commander";

/** Exit statuses: 0 done or valid, 1 not valid or not done, 2 wrong usage or a file that cannot be read. */
const USAGE = 2;

type Run = () => Promise<number>;

/** Every command is imported when it runs: `audit verify` must work where nothing but the file is at hand. */
function makeProgram(run: (command: Run) => Promise<void>): Command {
  const program = new Command("cs").description("Countersign from the command line.").exitOverride();
  program.configureHelp({ showGlobalOptions: true }).showHelpAfterError();
  addAudit(program.command("audit").description("the audit trail"), run);
  program
    .command("explain")
    .description("why a call would be allowed or refused, by the same decision the door makes")
    .requiredOption("--tenant <slug>", "the tenant")
    .requiredOption("--server <slug>", "the server")
    .requiredOption("--tool <name>", "the tool, by its own name")
    .option("--agent <slug>", "the agent that would call")
    .option("--roles <slugs>", "instead of an agent: roles, comma separated")
    .option("--json", "the whole trace as JSON")
    .action((options) => run(async () => (await import("@/lib/cli/explain")).explainCommand(options)));
  program
    .command("doctor")
    .description("checks settings, database, keys and clock, and says what to do")
    .action(() => run(async () => (await import("@/lib/cli/doctor")).doctorCommand()));
  program
    .command("db")
    .description("the database")
    .command("migrate")
    .description("applies what is missing")
    .action(() => run(async () => (await import("@/lib/cli/migrate")).migrateCommand()));
  program
    .command("stdio")
    .description("lets a local client that speaks over standard streams use the door")
    .requiredOption("--url <url>", "the door, as https://host/api/mcp or https://host/api/mcp/<server>")
    .option("--key-env <name>", "the variable that holds the agent key", "COUNTERSIGN_KEY")
    .option("--key-file <file>", "a file that holds the agent key instead")
    .action((options) => run(async () => (await import("@/lib/cli/stdio")).stdioCommand(options)));
  program
    .command("seed <scenario>")
    .description("fills a database with a scenario: demo")
    .action((scenario: string) => run(async () => (await import("@/lib/cli/seed")).seedCommand(scenario)));
  return program;
}

function addAudit(audit: Command, run: (command: Run) => Promise<void>): void {
  audit
    .command("verify <file>")
    .description("checks an export with nothing but the file; exit status 0 only when it is valid")
    .option("--expect-head <hash>", "a head noted elsewhere, which the chain in the file must go through")
    .option("--json", "the report as JSON")
    .action((file: string, options) =>
      run(async () => (await import("@/lib/cli/audit-verify")).auditVerifyCommand(file, options)),
    );
  audit
    .command("export")
    .description("writes the trail of a tenant as JSON lines that `audit verify` checks")
    .requiredOption("--tenant <slug>", "the tenant; `platform` for acts that belong to none")
    .requiredOption("--out <file>", "the file to write; `-` for standard output")
    .option("--range <span>", "only the last 15m, 24h, 7d …")
    .option("--from <time>", "ISO time of the first entry")
    .option("--to <time>", "ISO time after the last entry")
    .option("--server <slug>", "only calls of this server in full")
    .option("--tool <name>", "only calls of this tool in full")
    .option("--caller <who>", "slug, e-mail or id")
    .option("--outcome <list>", "success, failure, denied, unknown, pending")
    .option("--decision <decision>", "allowed or denied")
    .option("--q <text>", "free text")
    .action((options) => run(async () => (await import("@/lib/cli/audit-export")).auditExportCommand(options)));
  audit
    .command("tail")
    .description("shows entries as they are appended")
    .requiredOption("--tenant <slug>", "the tenant; `platform` for acts that belong to none")
    .option("-n, --lines <count>", "how many to show first", "20")
    .option("--no-follow", "stop after these")
    .option("--json", "records instead of sentences")
    .action((options) => run(async () => (await import("@/lib/cli/audit-tail")).auditTailCommand(options)));
}

/** Runs the command line; returns the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let status = 0;
  const program = makeProgram(async (command) => {
    status = await command();
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return status;
  } catch (cause) {
    if (cause instanceof CommanderError) return cause.exitCode === 0 ? 0 : USAGE;
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
    return 1;
  }
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (cause: unknown) => {
    process.stderr.write(`${String(cause)}\n`);
    process.exitCode = 1;
  },
);
