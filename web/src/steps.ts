// The steps that the back button undoes: one for each search that was settled, whether by Enter, by a filter or by
// leaving the box. While a search is being typed it has one step of its own, however many letters it has; the step of
// the search before is left alone.

/** What a step keeps besides its address. */
export interface Step {
  /** Pages of hits that were shown. */
  pages: number;
  /** Absent where it was never left: the browser knows better where it begins. */
  scroll?: number;
  /** By the ids of names that were taken for words: what they are called in the query. */
  taken: Record<string, string>;
}

export class Steps {
  /** Of the step that is shown. */
  step: Step;
  private typed = false;
  /** The address of the step under the typed one. */
  private below = '';
  private returning = false;
  private waiting: (() => void) | null = null;
  private address: string;

  /** `located`: the page's address as toAddress() writes it; `moved` is called when the browser went to another step. */
  constructor(
    private readonly located: () => string,
    private readonly moved: () => void,
  ) {
    this.address = located();
    history.scrollRestoration = 'manual';
    this.step = stored();
    window.addEventListener('popstate', () => this.onMove());
  }

  /** The search that is being typed. */
  type(address: string): void {
    if (this.later(() => this.type(address))) return;
    this.put(address, true);
  }

  /** Another search, which takes the place of what was being typed for it, if anything was. */
  go(address: string): void {
    if (this.later(() => this.go(address))) return;
    this.put(address, false);
    this.typed = false;
  }

  /** What was typed is meant, and what is typed next is another search. */
  settle(): void {
    if (this.later(() => this.settle())) return;
    this.typed = false;
  }

  /** The same search under a better address. */
  correct(address: string): void {
    this.address = address;
    history.replaceState(this.step, '', address || location.pathname);
  }

  note(part: Partial<Step>): void {
    this.step = { ...this.step, ...part };
    history.replaceState(this.step, '');
  }

  private put(address: string, typing: boolean): void {
    if (address === this.address) return;
    const left = { ...this.step, scroll: Math.round(window.scrollY) };
    this.step = { pages: 1, taken: this.step.taken };
    if (this.typed && address === this.below) {
      // Typed back to what it was: two steps would look the same.
      this.returning = true;
      history.back();
      return;
    }
    if (this.typed) {
      history.replaceState(this.step, '', address || location.pathname);
    } else {
      this.below = this.address;
      history.replaceState(left, '');
      history.pushState(this.step, '', address || location.pathname);
    }
    this.address = address;
    this.typed = typing;
  }

  /** The browser goes back in its own time, and what comes meanwhile has to wait. */
  private later(then: () => void): boolean {
    if (!this.returning) return false;
    const before = this.waiting;
    this.waiting = () => {
      before?.();
      then();
    };
    return true;
  }

  private onMove(): void {
    this.typed = false;
    if (!this.returning) {
      const address = this.located();
      if (address === this.address) {
        // Another place of the same page: "#results".
        this.note({});
        return;
      }
      this.step = stored();
      this.address = address;
      this.moved();
      return;
    }
    this.returning = false;
    this.address = this.below;
    this.note({});
    const then = this.waiting;
    this.waiting = null;
    then?.();
  }
}

function stored(): Step {
  const kept = (history.state ?? {}) as Partial<Step>;
  return { pages: 1, taken: {}, ...kept };
}
