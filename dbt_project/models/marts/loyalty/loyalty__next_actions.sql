with
    actions as (select * from {{ ref("int_loyalty__customer_actions") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    final as (
        select
            actions.customer_key,
            customers.customer_id,
            actions.action,
            actions.label_en as action_name_en,
            actions.label_zh as action_name_zh,
            cast(actions.action_rank as bigint) as action_rank,
            cast(actions.priority as bigint) as priority,
            actions.is_due,
            actions.held_back_reason,
            actions.reason,
            cast(
                actions.value_at_stake_amount as {{ type_amount() }}
            ) as value_at_stake_amount,
            actions.currency_code,
            actions.value_basis,
            cast(actions.cadence_days as bigint) as cadence_days,
            cast(actions.days_since_contact as bigint) as days_since_contact,
            cast(actions.recent_contact_count as bigint) as contact_count
        from actions
        inner join customers on actions.customer_key = customers.customer_key
    )

select *
from final
