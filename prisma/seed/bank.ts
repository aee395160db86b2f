import { join } from "node:path";
import { COMMON_MAP, type Scenario, SHARED_PERSON } from "@/prisma/seed/scenario";

const LEDGER = `date,account,amount,currency
2026-11-18,4711,1200.00,USD
2026-11-19,4711,-34.00,USD
2026-11-19,4712,89.90,USD
`;

/** A bank under SOX: reconciling is reading, posting is writing, and the same agent does not do both. */
export const bank: Scenario = {
  slug: "bank",
  name: "Harbor Bank",
  zones: ["sox"],
  residency: "us",
  people: [
    { email: "jonas.weber@bank.example", name: "Jonas Weber", roles: ["tenant-admin"] },
    { email: "ines.duarte@bank.example", name: "Ines Duarte", roles: ["compliance-officer"] },
    { email: "kofi.mensah@bank.example", name: "Kofi Mensah", roles: ["developer"] },
    { email: "lena.fischer@bank.example", name: "Lena Fischer", roles: ["viewer"] },
    { ...SHARED_PERSON, roles: ["compliance-officer"] },
  ],
  roles: [
    {
      slug: "analyst",
      name: "Analyst",
      description: "Reads ledgers and computes, changes nothing.",
      permissions: ["everything:read", "files:read", "remote:read"],
    },
    {
      slug: "ledger-clerk",
      name: "Ledger clerk",
      description: "Posts to the ledger and keeps notes.",
      permissions: ["files:read", "files:write", "memory:read", "memory:write"],
    },
  ],
  map: COMMON_MAP,
  files: {
    "README.txt": "Sample files of the bank. Agents reach this folder through the server called files.\n",
    "ledger/2026-11.csv": LEDGER,
    "policies/four-eyes.txt": "Who posts does not approve.\n",
  },
  agents: (folder) => [
    {
      slug: "reconciler",
      name: "Reconciler",
      description: "Compares ledgers and reports differences.",
      owner: "kofi.mensah@bank.example",
      roles: ["analyst"],
      allowed: { tool: "remote__get-sum", arguments: { a: 1200, b: -34 } },
      denied: { tool: "files__write_file", arguments: { path: join(folder, "ledger/x.csv"), content: "changed" } },
      more: [
        { tool: "files__read_text_file", arguments: { path: join(folder, "ledger/2026-11.csv") } },
        { tool: "files__directory_tree", arguments: { path: folder } },
        { tool: "everything__echo", arguments: { message: "hello from the bank" } },
        { tool: "memory__read_graph", arguments: {} },
      ],
    },
    {
      slug: "posting-bot",
      name: "Posting bot",
      description: "Writes approved postings and remembers counterparties.",
      owner: "kofi.mensah@bank.example",
      roles: ["ledger-clerk"],
      allowed: { tool: "memory__search_nodes", arguments: { query: "counterparty" } },
      denied: { tool: "everything__get-env", arguments: {} },
      more: [
        {
          tool: "memory__create_entities",
          arguments: {
            entities: [{ name: "Acme Ltd", entityType: "counterparty", observations: ["settles on Fridays"] }],
          },
        },
        {
          tool: "files__write_file",
          arguments: { path: join(folder, "ledger/2026-11-20.csv"), content: "2026-11-20,4711,15.00,USD\n" },
        },
        { tool: "memory__delete_entities", arguments: { entityNames: ["Acme Ltd"] } },
      ],
    },
  ],
};
