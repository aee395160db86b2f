import { describe, expect, it } from "vitest";
import { makeToolIndex, type SearchableTool, wordsOf } from "@/lib/gateway/rank-tools";

const TOOLS: readonly SearchableTool[] = [
  { name: "files__read_file", description: "Reads one file from the disk and returns its text." },
  { name: "files__writeFile", description: "Writes text to a file." },
  { name: "mail__send_mail", title: "Send e-mail", description: "Sends a message to somebody, with files attached." },
  { name: "crm__find_customer", description: "Looks a customer up by name or address." },
  { name: "crm__list_orders", description: "Lists what a customer ordered. Not for files." },
];
const names = (query: string, limit = 5) =>
  makeToolIndex(TOOLS)
    .search(query, limit)
    .map((at) => TOOLS[at]?.name);

describe("wordsOf", () => {
  it("takes names apart however they are written", () => {
    expect(wordsOf("readFiles read-file read_file")).toEqual(["read", "file", "read", "file", "read", "file"]);
    expect(wordsOf("Überweisung 12 an x")).toEqual(["uberweisung", "12", "an", "x"]);
    expect(wordsOf("e-mail")).toEqual(["email", "mail"]);
    expect(wordsOf("ファイル")).toEqual(wordsOf("ﾌｧｲﾙ"));
  });
});

describe("makeToolIndex", () => {
  it.each([
    ["read a file", "files__read_file"],
    ["write files", "files__writeFile"],
    ["send a message", "mail__send_mail"],
    ["email", "mail__send_mail"],
    ["customer address", "crm__find_customer"],
    ["orders", "crm__list_orders"],
  ])("finds the right tool first for %j", (query, wanted) => expect(names(query)[0]).toBe(wanted));

  it("puts a name above a mention, keeps the limit, and finds nothing where nothing is", () => {
    expect(names("file").slice(0, 2).sort()).toEqual(["files__read_file", "files__writeFile"]);
    expect(names("file", 1)).toHaveLength(1);
    expect(names("quantum")).toEqual([]);
    expect(names("")).toEqual([]);
    expect(makeToolIndex([]).search("file", 5)).toEqual([]);
  });

  it("understands the beginning of a word", () => expect(names("cust")[0]).toBe("crm__find_customer"));

  it("is not slowed by a long query over a large catalog", () => {
    const many = Array.from({ length: 2_000 }, (_, at) => ({
      name: `server${at % 20}__do_thing_${at}`,
      description: `Does thing number ${at} with parameters alpha beta gamma delta for case ${at % 97}.`,
    }));
    const index = makeToolIndex(many);
    // Our own processor time: a busy machine is no fault of the search.
    const before = process.cpuUsage();
    for (let round = 0; round < 20; round += 1) index.search(`${"thing ".repeat(500)}case 41 alpha`, 25);
    const { user } = process.cpuUsage(before);
    expect(user / 20 / 1_000).toBeLessThan(150);
  });
});
