export function DemoBanner() {
  return (
    <section
      aria-label="Demo notice"
      data-no-print
      className="border-b border-line bg-warn-soft px-4 py-1.5 text-xs text-warn sm:px-6"
    >
      <strong className="font-semibold">DEMO</strong> · Sample people, sample data and published passwords. Do not put
      real data into it.
    </section>
  );
}
