// A process of its own that opens the database of a data folder and then waits, for tests that kill it.
import { closeDatabase, openDatabase } from "@/lib/db/open-database";

const dataDir = process.argv[2] ?? "";
openDatabase({ dataDir }).then(
  ({ url }) => process.stdout.write(`open ${url}\n`),
  (cause: unknown) => {
    process.stdout.write(`failed ${String(cause)}\n`);
    process.exitCode = 1;
  },
);
process.stdin.once("data", () => {
  closeDatabase().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
