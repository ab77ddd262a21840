with
    figures as (select * from {{ ref("int_loyalty__claim_figures") }}),

    shown as (
        select
            *,
            case when not is_suppressed then observed_value end as value,
            case when not is_suppressed then observed_low end as low,
            case when not is_suppressed then observed_high end as high
        from figures
    ),

    judged as (
        select
            *,
            case
                when base_count = 0
                then 'nothing was observed; needed: ' || needs
                when is_suppressed
                then 'the base is too small'
                when low is null
                then 'nothing varies, so nothing can be tested'
                when kind = 'figure' and claim_low > highest_possible_value
                then 'the figure is out of reach: too many of the others came back'
            end as obstacle
        from shown
    ),

    compared as (
        select
            *,
            case
                when obstacle is not null
                then null
                when kind = 'direction'
                then
                    case
                        when low > claim_low then true when high < claim_low then false
                    end
                else high >= claim_low and (claim_high is null or low <= claim_high)
            end as does_hold
        from judged
    ),

    final as (
        select
            source,
            survey_id,
            claim_id,
            variant,
            claim_en,
            claim_zh,
            catalogue_id,
            origin,
            kind as claim_kind,
            unit,
            cast(claim_low as {{ type_double() }}) as claim_low,
            cast(claim_high as {{ type_double() }}) as claim_high,
            cast(value as {{ type_double() }}) as observed_value,
            cast(low as {{ type_double() }}) as observed_low,
            cast(high as {{ type_double() }}) as observed_high,
            cast(base_count as bigint) as base_count,
            cast(smallest_count as bigint) as smallest_group_count,
            is_suppressed,
            is_corrected,
            cast(
                highest_possible_value as {{ type_double() }}
            ) as highest_possible_value,
            case
                when does_hold
                then 'holds'
                when not does_hold and kind != 'direction' and low > claim_low
                then 'more than claimed'
                when not does_hold
                then 'does not hold'
                else 'cannot tell'
            end as verdict,
            case
                when obstacle is not null
                then obstacle
                when does_hold is null
                then 'the 95 % interval contains no effect'
                when kind = 'direction' and does_hold
                then 'the 95 % interval lies wholly on the claimed side of no effect'
                when kind = 'direction'
                then 'the 95 % interval lies wholly on the other side of no effect'
                when does_hold
                then 'the claimed figure lies within the 95 % interval'
                when high < claim_low
                then 'the 95 % interval lies below the claimed figure'
                else 'the 95 % interval lies above the claimed figure'
            end as verdict_reason,
            warning
        from compared
    )

select *
from final
