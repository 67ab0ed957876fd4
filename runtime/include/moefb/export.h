/* Marks what libmoefb.so shows to its users; everything else in it is hidden. C and C++. */
#ifndef MOEFB_EXPORT_H
#define MOEFB_EXPORT_H

#if defined(__GNUC__)
#define MOEFB_EXPORT __attribute__((visibility("default")))
#else
#define MOEFB_EXPORT
#endif

#endif
