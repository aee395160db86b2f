import { SYMPTOMS } from "./troubleshooting";

/** Symptoms to open, each with its cause and its remedy. */
export function Troubleshooting() {
  return (
    <div className="divide-y divide-line rounded-md border border-line text-sm">
      {SYMPTOMS.map((entry) => (
        <details key={entry.symptom} className="px-3 py-2">
          <summary className="cursor-pointer">{entry.symptom}</summary>
          <p className="mt-1 text-muted">{entry.cause}</p>
          <p className="mt-1">{entry.fix}</p>
        </details>
      ))}
    </div>
  );
}
