import { closeProcess, registerProcess } from "@/lib/audit/processes";
import { closeTrail } from "@/lib/audit/trail";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";
import { baseUrl, env } from "@/lib/env";
import { seedDemo } from "@/prisma/seed";
import { stopDemoHttpUpstream } from "@/prisma/seed/demo-http-upstream";

const KNOWN = ["demo"];

/** Seeds a scenario into an empty database without starting the product. */
export async function seedCommand(scenario: string): Promise<number> {
  if (!KNOWN.includes(scenario)) {
    process.stderr.write(`There is no scenario ${scenario}; there is: ${KNOWN.join(", ")}.\n`);
    return 2;
  }
  if (!env().demo) {
    process.stderr.write("The demo is switched off here (DEMO=0, or a DATABASE_URL without DEMO=1).\n");
    return 1;
  }
  await openDatabase();
  try {
    await registerProcess();
    const { fresh, tookMs } = await seedDemo({ baseUrl: baseUrl(), dataDir: env().DATA_DIR });
    process.stderr.write(fresh ? `Seeded in ${tookMs} ms.\n` : "Nothing to seed: the database is not empty.\n");
    return 0;
  } finally {
    await stopDemoHttpUpstream();
    await closeProcess();
    await closeTrail();
    await closeDatabase();
  }
}
