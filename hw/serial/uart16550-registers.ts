/**
 * Registers of the PC16550D, one byte each, from the table "Summary of Registers" of its data sheet. Several share an
 * offset: which one answers depends on the direction of the access and on LCR.DLAB.
 */
import { registers } from '../bus/registers.ts';

/** 19200 baud. The manual leaves the divisor open at reset. */
export const RESET_DIVISOR = 12;

export const UART = registers({
  RBR: [0, 'Receiver buffer (read, DLAB 0)', { DATA: ['ro', 7, 0, 0, 'The oldest character received'] }],
  THR: [0, 'Transmitter holding (write, DLAB 0)', { DATA: ['wo', 7, 0, 0, 'The next character to send'] }],
  DLL: [
    0,
    'Divisor latch, low byte (DLAB 1)',
    { DIVISOR: ['rw', 7, 0, RESET_DIVISOR, 'Baud rate is 230400 / divisor'] },
  ],
  IER: [
    1,
    'Interrupt enable (DLAB 0)',
    {
      ERBFI: ['rw', 0, 0, 0, 'Received data available, and character timeout'],
      ETBEI: ['rw', 1, 1, 0, 'Transmitter holding register empty'],
      ELSI: ['rw', 2, 2, 0, 'Receiver line status'],
      EDSSI: ['rw', 3, 3, 0, 'Modem status'],
    },
  ],
  DLM: [1, 'Divisor latch, high byte (DLAB 1)', { DIVISOR: ['rw', 7, 0, 0, 'High byte of the divisor'] }],
  IIR: [
    2,
    'Interrupt identification (read)',
    {
      NONE_PENDING: ['ro', 0, 0, 1, '0 while an interrupt is pending'],
      ID: ['ro', 3, 1, 0, '3 line status, 2 data, 6 timeout, 1 holding register empty (reading clears it), 0 modem'],
      FIFOS_ENABLED: ['ro', 7, 6, 0, '3 while the FIFOs are on'],
    },
  ],
  FCR: [
    2,
    'FIFO control (write)',
    {
      FIFO_ENABLE: ['wo', 0, 0, 0, 'A change empties both FIFOs; the other bits count only with this one set'],
      RCVR_RESET: ['wo', 1, 1, 0, 'Empties the receiver FIFO'],
      XMIT_RESET: ['wo', 2, 2, 0, 'Empties the transmitter FIFO'],
      DMA_MODE: ['unimp', 3, 3, 0, 'RXRDY and TXRDY pins: not connected'],
      RECEIVER_TRIGGER: ['wo', 7, 6, 0, 'Data interrupt from 1, 4, 8, or 14 characters on'],
    },
  ],
  LCR: [
    3,
    'Line control',
    {
      WLS: ['rw', 1, 0, 0, 'Data bits less 5'],
      STB: ['rw', 2, 2, 0, 'Two stop bits (one and a half with 5 data bits)'],
      PEN: ['rw', 3, 3, 0, 'A parity bit'],
      EPS: ['rw', 4, 4, 0, 'Even parity'],
      STICK_PARITY: ['rw', 5, 5, 0, 'Parity bit is fixed'],
      SET_BREAK: ['rw', 6, 6, 0, 'Stored, never used'],
      DLAB: ['rw', 7, 7, 0, 'Offsets 0 and 1 reach the divisor latch'],
    },
  ],
  MCR: [
    4,
    'Modem control',
    {
      DTR: ['rw', 0, 0, 0, 'Data terminal ready'],
      RTS: ['rw', 1, 1, 0, 'Request to send'],
      OUT1: ['rw', 2, 2, 0, 'Not connected'],
      OUT2: ['rw', 3, 3, 0, 'Not connected: it does not gate the interrupt here'],
      LOOP: ['rw', 4, 4, 0, 'What is sent is received, and MSR shows the bits above'],
    },
  ],
  LSR: [
    5,
    'Line status',
    {
      DR: ['ro', 0, 0, 0, 'Data ready: RBR holds a character'],
      OE: ['rc', 1, 1, 0, 'Overrun: a character came while there was no room'],
      PE: ['rc', 2, 2, 0, 'Parity error: never'],
      FE: ['rc', 3, 3, 0, 'Framing error: never'],
      BI: ['rc', 4, 4, 0, 'Break: never'],
      THRE: ['ro', 5, 5, 1, 'THR, or the transmitter FIFO, is empty'],
      TEMT: ['ro', 6, 6, 1, 'So is the shift register: all has left'],
      FIFO_ERROR: ['ro', 7, 7, 0, 'A damaged character is in the FIFO: never'],
    },
  ],
  MSR: [
    6,
    'Modem status',
    {
      DCTS: ['rc', 0, 0, 0, 'CTS changed'],
      DDSR: ['rc', 1, 1, 0, 'DSR changed'],
      TERI: ['rc', 2, 2, 0, 'RI went off'],
      DDCD: ['rc', 3, 3, 0, 'DCD changed'],
      CTS: ['ro', 4, 4, 1, 'Clear to send'],
      DSR: ['ro', 5, 5, 1, 'Data set ready'],
      RI: ['ro', 6, 6, 0, 'Ring'],
      DCD: ['ro', 7, 7, 1, 'Carrier'],
    },
  ],
  SCR: [7, 'Scratch', { SCRATCH: ['rw', 7, 0, 0, 'Storage without meaning'] }],
});
