"use client";
import { useTheme } from "next-themes";
import { Toaster as Sonner, toast as sonnerToast } from "sonner";

/** `toast.success("Key revoked")`, `toast.error(…)`. */
export const toast = sonnerToast;

/** Short news of what was just done. Errors that need reading belong into the page, not here. */
export function Toaster() {
  const { resolvedTheme } = useTheme();
  return (
    <Sonner
      theme={resolvedTheme === "dark" ? "dark" : "light"}
      position="bottom-right"
      toastOptions={{
        classNames: {
          toast: "!bg-raised !text-text !border-line !font-sans !text-sm !rounded-md",
          description: "!text-muted",
        },
      }}
    />
  );
}
