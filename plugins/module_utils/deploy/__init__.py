# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pinned deploy (design 9): the service's own script, for a commit that is proved to be on origin/main.

``survey`` reads what is true into ``facts``, ``decide`` makes a plan of it or says why not, ``unit`` is what the script runs in,
``judge`` says what became of it, ``action`` puts these into the frame of changes. Private to this collection.
"""
