import { join } from "node:path";
import { COMMON_MAP, type Scenario, SHARED_PERSON } from "@/prisma/seed/scenario";

const INTAKE = `Intake 2026-11-20, ward 3
Patient: sample person (no real data in this demo)
Complaint: cough for six days, no fever
Triage: green
`;

const SCHEDULE = `time,room,purpose
09:00,2,follow-up
09:30,2,vaccination
10:15,4,intake
`;

/** A clinic under HIPAA: agents read records, few write them. */
export const clinic: Scenario = {
  slug: "clinic",
  name: "Lakeside Clinic",
  zones: ["hipaa"],
  residency: "us",
  people: [
    { email: "mara.lindqvist@clinic.example", name: "Mara Lindqvist", roles: ["tenant-admin"] },
    { email: "theo.okafor@clinic.example", name: "Theo Okafor", roles: ["compliance-officer"] },
    { email: "dana.kim@clinic.example", name: "Dana Kim", roles: ["developer"] },
    { email: "vera.novak@clinic.example", name: "Vera Novak", roles: ["viewer"] },
    { ...SHARED_PERSON, roles: ["developer"] },
  ],
  roles: [
    {
      slug: "record-reader",
      name: "Record reader",
      description: "Reads files and notes, changes nothing.",
      permissions: ["everything:read", "files:read", "memory:read"],
    },
    {
      slug: "record-clerk",
      name: "Record clerk",
      description: "Reads and writes files and notes.",
      permissions: ["files:read", "files:write", "memory:read", "memory:write", "remote:read"],
    },
  ],
  map: COMMON_MAP,
  files: {
    "README.txt": "Sample files of the clinic. Agents reach this folder through the server called files.\n",
    "intake/2026-11-20.txt": INTAKE,
    "schedule.csv": SCHEDULE,
  },
  agents: (folder) => [
    {
      slug: "triage-bot",
      name: "Triage bot",
      description: "Reads intake notes and suggests a triage colour.",
      owner: "dana.kim@clinic.example",
      roles: ["record-reader"],
      allowed: { tool: "files__read_text_file", arguments: { path: join(folder, "intake/2026-11-20.txt") } },
      denied: { tool: "files__write_file", arguments: { path: join(folder, "intake/x.txt"), content: "changed" } },
      more: [
        { tool: "files__list_directory", arguments: { path: folder } },
        { tool: "files__search_files", arguments: { path: folder, pattern: "*.csv" } },
        { tool: "everything__get-sum", arguments: { a: 2, b: 3 } },
        { tool: "files__read_text_file", arguments: { path: join(folder, "intake/missing.txt") } },
        { tool: "everything__get-env", arguments: {} },
      ],
    },
    {
      slug: "scribe",
      name: "Scribe",
      description: "Writes visit summaries into the record.",
      owner: "dana.kim@clinic.example",
      roles: ["record-clerk"],
      allowed: {
        tool: "files__write_file",
        arguments: { path: join(folder, "summary.txt"), content: "Visit summary, written by the agent scribe.\n" },
      },
      denied: { tool: "memory__delete_entities", arguments: { entityNames: ["ward 3"] } },
      more: [
        {
          tool: "memory__create_entities",
          arguments: { entities: [{ name: "ward 3", entityType: "ward", observations: ["opens at 07:00"] }] },
        },
        { tool: "memory__search_nodes", arguments: { query: "ward" } },
        { tool: "remote__echo", arguments: { message: "hello from the clinic" } },
      ],
    },
  ],
};
