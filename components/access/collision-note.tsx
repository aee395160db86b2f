import { Note } from "@/components/ui/note";
import type { Collision } from "./access-draft";

/** Tools that somebody else changed while they were staged here: three values side by side. */
export function CollisionNote({ collisions }: { readonly collisions: readonly Collision[] }) {
  if (collisions.length === 0) return null;
  return (
    <Note tone="warn">
      <p>Somebody else changed the same tools meanwhile. Saving replaces what they set:</p>
      <ul className="mt-1 list-disc pl-5">
        {collisions.map((line) => (
          <li key={line.key}>
            {line.key}: was {line.base ?? "unmapped"}, they set {line.theirs ?? "unmapped"}, you staged{" "}
            {line.mine ?? "unmapped"}
          </li>
        ))}
      </ul>
    </Note>
  );
}
