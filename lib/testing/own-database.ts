import { randomBytes } from "node:crypto";
import { onServer } from "@/lib/testing/fresh-database";

/**
 * Every file has a database of its own, a copy of the run's. Gateways that a file starts look after every tenant they find;
 * in a shared one they would call at the addresses of servers of earlier files, where by now somebody else may listen.
 */
const run = new URL(process.env["DATABASE_URL"] ?? "");
const template = run.pathname.slice(1);
const own = `${template}_${randomBytes(4).toString("hex")}`;
const server = new URL(run);
server.pathname = "/postgres";
await onServer(server.href, `create database ${own} template ${template}`);
run.pathname = `/${own}`;
process.env["DATABASE_URL"] = run.href;
