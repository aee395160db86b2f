import { afterAll, beforeAll } from "vitest";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";

/** Call at the top of an integration test file: opens the run's database before its tests and leaves it after them. */
export function withTestDatabase(): void {
  beforeAll(async () => {
    await openDatabase();
  });
  afterAll(async () => {
    await closeDatabase();
  });
}
