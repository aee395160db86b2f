import { Check } from "lucide-react";
import { cn } from "@/components/ui/cn";

export const STEPS = [
  { id: "source", label: "Describe" },
  { id: "probe", label: "Probe" },
  { id: "map", label: "Map and grant" },
  { id: "try", label: "Try a call" },
  { id: "enable", label: "Enable" },
] as const;
export type StepId = (typeof STEPS)[number]["id"];
export const STEP_IDS = STEPS.map((step) => step.id);

/** Where one is on the way. */
export function WizardSteps({ current }: { readonly current: StepId }) {
  const at = STEPS.findIndex((step) => step.id === current);
  return (
    <ol aria-label="Steps" className="flex flex-wrap gap-x-6 gap-y-2 border-b border-line pb-3 text-sm">
      {STEPS.map((step, index) => (
        <li
          key={step.id}
          {...(index === at ? { "aria-current": "step" as const } : {})}
          className={cn("flex items-center gap-2", index === at ? "font-medium" : "text-muted")}
        >
          <span
            className={cn(
              "flex size-5 items-center justify-center rounded-full border text-xs tabular-nums",
              index === at ? "border-accent bg-accent text-on-accent" : "border-edge",
            )}
          >
            {index < at ? <Check aria-label="done" className="size-3" /> : index + 1}
          </span>
          {step.label}
        </li>
      ))}
    </ol>
  );
}
