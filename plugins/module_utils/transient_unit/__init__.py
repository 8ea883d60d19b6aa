# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that goes on in a unit of the host's systemd, which no link, laptop or process of ours keeps alive: begun, followed
by whoever asks next, and its end told from what it left or from the record.

``shown`` says what state systemd has it in, ``files`` are what lies beside it, ``unit`` starts it, looks at it and takes it away,
``on_record`` is what the record tells of it, ``action`` puts these into the frame of changes. What it does, and what its end
means, is its owner's: this knows of none. Private to this collection.
"""
