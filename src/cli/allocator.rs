//! The allocator of the program: mimalloc.
#![allow(unsafe_code)] // An allocator is unsafe to implement. There is no other reason for it in gops.

use core::ffi::c_void;
use std::alloc::{GlobalAlloc, Layout};

use libmimalloc_sys as mi;

/// mimalloc, asked for alignment only where its blocks may not have it. (Asked for it always, as the
/// crate `mimalloc` does, it takes a larger block than is needed whenever the next free one of the
/// right size is not at hand: that costs a tenth of the memory and some of the time.)
#[derive(Debug)]
pub struct Allocator;

/// Whether memory that is taken from now on may come in huge pages. They spare most of the time that the
/// system takes to hand memory out, a sixth of all that a large compile takes, and cost a short run
/// more than it lasts: to begin with, say no. Programs that are started inherit it.
pub fn huge_pages(allowed: bool) {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(!allowed);
    #[cfg(not(target_os = "linux"))]
    let _ = allowed;
}

/// How many bytes the system has that are huge pages already, in the zone that it takes memory from
/// first: to make more there it moves other memory about, at the cost of whoever asks, and rather than
/// take them from the zones that it keeps for devices.
pub fn free_huge_pages() -> u64 {
    std::fs::read_to_string("/proc/buddyinfo").map_or(0, |text| free_in_huge_pages(&text))
}

/// `/proc/buddyinfo`: a line for each zone, the first choice last, with the number of free blocks of 1,
/// 2, 4 … pages; see proc(5). (Of 4096 bytes: where pages are larger, less is counted than there is.)
fn free_in_huge_pages(text: &str) -> u64 {
    const HUGE: usize = 9;
    let blocks = |line: &str| {
        let counts = line.split_whitespace().skip(4).enumerate().skip(HUGE);
        counts.map(|(order, count)| count.parse::<u64>().unwrap_or(0) << (12 + order)).sum::<u64>()
    };
    text.lines().last().map_or(0, blocks)
}

/// Whether every block of this size is aligned as it is to be: mimalloc's start at multiples of 16, or
/// of 8 if they are smaller than 16 (its `MI_MAX_ALIGN_SIZE`, and its guarantee for `mi_malloc`).
const fn is_aligned_anyway(size: usize, align: usize) -> bool {
    align <= 8 || (align <= 16 && size >= 16)
}

// SAFETY: mimalloc's functions satisfy what `GlobalAlloc` asks for: blocks of the size and alignment of
// the layout (see `is_aligned_anyway`), that stay until they are freed, null if there is no memory.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: these take any size, and any power of two as alignment, which a layout's is.
        unsafe {
            match is_aligned_anyway(layout.size(), layout.align()) {
                true => mi::mi_malloc(layout.size()).cast(),
                false => mi::mi_malloc_aligned(layout.size(), layout.align()).cast(),
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe {
            match is_aligned_anyway(layout.size(), layout.align()) {
                true => mi::mi_zalloc(layout.size()).cast(),
                false => mi::mi_zalloc_aligned(layout.size(), layout.align()).cast(),
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller gives back a block that one of these functions gave.
        unsafe { mi::mi_free(block.cast::<c_void>()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `alloc` and `dealloc`; the caller gives no size of zero.
        unsafe {
            match is_aligned_anyway(size, layout.align()) {
                true => mi::mi_realloc(block.cast(), size).cast(),
                false => mi::mi_realloc_aligned(block.cast(), size, layout.align()).cast(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_huge_pages_are_counted() {
        let zones = "Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      3\n\
                     Node 0, zone   Normal      1    127    345    163     65     18      6      4      1      3     14\n";
        assert_eq!(free_in_huge_pages(zones), (3 * 2 + 14 * 4) << 20);
        assert_eq!(free_in_huge_pages(""), 0);
    }

    /// What `is_aligned_anyway` says is so of mimalloc: of fresh blocks and of ones that were freed
    /// and grown.
    #[test]
    fn blocks_are_aligned() {
        for size in (1..300).chain([1000, 4096, 5000, 1 << 17, (1 << 20) + 1]) {
            for align in [1, 2, 4, 8, 16, 32, 64, 4096] {
                let layout = Layout::from_size_align(size, align).unwrap();
                let grown = Layout::from_size_align(size * 2 + 1, align).unwrap();
                // SAFETY: the blocks are freed once, with the layout that they have then.
                unsafe {
                    let blocks: Vec<*mut u8> = (0..9)
                        .map(|n| match n % 2 {
                            0 => Allocator.alloc(layout),
                            _ => Allocator.alloc_zeroed(layout),
                        })
                        .collect();
                    for block in blocks {
                        assert!(block.is_aligned_to_bytes(align), "{size} {align}");
                        block.write_bytes(7, size);
                        let block = Allocator.realloc(block, layout, grown.size());
                        assert!(block.is_aligned_to_bytes(align), "{size} {align}, grown");
                        assert_eq!(*block.add(size - 1), 7);
                        Allocator.dealloc(block, grown);
                    }
                }
            }
        }
    }

    trait Aligned {
        fn is_aligned_to_bytes(self, align: usize) -> bool;
    }

    impl Aligned for *mut u8 {
        fn is_aligned_to_bytes(self, align: usize) -> bool {
            !self.is_null() && self.addr().is_multiple_of(align)
        }
    }
}
