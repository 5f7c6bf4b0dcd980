// The reasons for a tag: shown on hover, on keyboard focus and on tap; closed by Escape and by leaving. It stands right
// behind its tag in the document, so that Tab goes into it.
import { h } from './dom';

let counter = 0;
let open: { close: () => void; dismiss: () => void } | null = null;

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || open === null) return;
  // A search box that has the focus would empty itself.
  event.preventDefault();
  open.dismiss();
});
document.addEventListener('pointerdown', (event) => {
  if (event.target instanceof Node && !document.querySelector('.tag-wrap.open')?.contains(event.target)) open?.close();
});

const HOVER_DELAY_MS = 120;
const LEAVE_DELAY_MS = 150;

/** Wraps a tag's button with a popover, whose content is made when it first opens. */
export function withPopover(button: HTMLButtonElement, label: string, content: () => Node): HTMLElement {
  const id = `reasons-${++counter}`;
  const panel = h('div', { class: 'popover', id, role: 'group', 'aria-label': label, hidden: true });
  const wrap = h('span', { class: 'tag-wrap' }, button, panel);
  button.setAttribute('aria-expanded', 'false');
  button.setAttribute('aria-controls', id);
  let timer = 0;
  let filled = false;

  let returning = false;
  const self = { close, dismiss };
  function close() {
    clearTimeout(timer);
    panel.hidden = true;
    wrap.classList.remove('open');
    button.setAttribute('aria-expanded', 'false');
    if (open === self) open = null;
  }
  /** Closes, and gives the focus back to the tag if it was within. */
  function dismiss() {
    if (panel.contains(document.activeElement)) {
      returning = true;
      button.focus();
      returning = false;
    }
    close();
  }
  function show() {
    clearTimeout(timer);
    if (!panel.hidden) return;
    open?.close();
    open = self;
    if (!filled) {
      panel.append(content());
      filled = true;
    }
    panel.hidden = false;
    wrap.classList.add('open');
    button.setAttribute('aria-expanded', 'true');
    // Within the window: to the left if it would stick out on the right, above if there is no room below.
    panel.style.setProperty('--shift', '0px');
    panel.classList.remove('above');
    const box = panel.getBoundingClientRect();
    const room = document.documentElement.clientWidth - 12;
    if (box.right > room) panel.style.setProperty('--shift', `${Math.max(room - box.right, 12 - box.left)}px`);
    const ceiling = document.querySelector('.masthead')?.getBoundingClientRect().bottom ?? 0;
    if (box.bottom > window.innerHeight && button.getBoundingClientRect().top - ceiling > box.height + 12) {
      panel.classList.add('above');
    }
  }

  wrap.addEventListener('pointerenter', (event) => {
    if (event.pointerType !== 'mouse') return;
    clearTimeout(timer);
    timer = window.setTimeout(show, HOVER_DELAY_MS);
  });
  wrap.addEventListener('pointerleave', (event) => {
    if (event.pointerType !== 'mouse') return;
    clearTimeout(timer);
    if (!wrap.contains(document.activeElement)) timer = window.setTimeout(close, LEAVE_DELAY_MS);
  });
  button.addEventListener('focus', () => {
    if (!returning && button.matches(':focus-visible')) show();
  });
  button.addEventListener('click', () => show());
  wrap.addEventListener('focusout', (event) => {
    if (!(event.relatedTarget instanceof Node) || !wrap.contains(event.relatedTarget)) close();
  });
  return wrap;
}
