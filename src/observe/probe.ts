/**
 * From a device's tap to an Observable. A device has nullable callbacks; a probe sets one when its first subscriber
 * comes and puts null back when the last one leaves, so a device that nobody watches pays one null check.
 *
 * An exception in an observer stays with that observer. One thrown by an operator's function ends that subscription
 * through its `error` channel; one thrown by a subscriber's own `next` is reported as rxjs reports it (to
 * `config.onUnhandledError`, or thrown from a task of its own, outside of the run), and that subscriber goes on. In
 * neither case does the device, or another observer of the same tap, notice. Observers run inside the device's event:
 * they look and they note, and change nothing there.
 */
import { Observable, share } from 'rxjs';

/** The Observable of one tap, shared: the tap is set once, however many watch. `attach(null)` must take it off. */
export function tapObservable<T>(attach: (emit: ((value: T) => void) | null) => void): Observable<T> {
  return new Observable<T>(subscriber => {
    attach(value => subscriber.next(value));
    return () => attach(null);
  }).pipe(share());
}

/**
 * Makes a probe that gives the same Observable each time it is asked about the same device. A tap holds one callback,
 * so two probes on it would silence each other. What else the maker is told holds as it was told first.
 */
export function onePerDevice<D extends object, A extends readonly unknown[], T>(
  make: (device: D, ...rest: A) => Observable<T>,
): (device: D, ...rest: A) => Observable<T> {
  const made = new WeakMap<D, Observable<T>>();
  return (device, ...rest) => {
    const known = made.get(device);
    if (known !== undefined) return known;
    const probe = make(device, ...rest);
    made.set(device, probe);
    return probe;
  };
}
